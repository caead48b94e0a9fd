//! The SQLSTATE of every error that a statement or a handle can end with.

use std::fmt;

macro_rules! states {
    ($($(#[$doc:meta])* $case:ident = $code:literal,)*) => {
        /// What class an error belongs to, as a five-character code of the SQL standard or of
        /// PostgreSQL.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum SqlState {
            $($(#[$doc])* $case,)*
        }

        impl SqlState {
            /// The code: `42501`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$case => $code,)*
                }
            }

            /// The state of a code; [`SqlState::Internal`] for a code that is none of these.
            #[must_use]
            pub fn from_code(code: &str) -> Self {
                match code {
                    $($code => Self::$case,)*
                    _ => Self::Internal,
                }
            }
        }
    };
}

states! {
    /// The statement does not parse.
    Syntax = "42601",
    /// The name cannot be the name of a connection.
    InvalidName = "42602",
    /// A placeholder has no value.
    UndefinedParameter = "42P02",
    /// What the statement names does not exist.
    UndefinedObject = "42704",
    /// What the statement creates exists already.
    DuplicateObject = "42710",
    /// The connection is of a type that cannot do this.
    WrongObjectType = "42809",
    /// The privilege does not exist, or the grant makes no sense.
    InvalidGrantOperation = "0LP01",
    /// The principal still owns something.
    DependentObjectsStillExist = "2BP01",
    /// The name is reserved.
    ReservedName = "42939",
    /// The store cannot be written.
    ReadOnly = "25006",
    /// The URI, or a parameter, is wrong.
    InvalidParameterValue = "22023",
    /// Nobody can do that: not this provider, or not this version.
    FeatureNotSupported = "0A000",
    /// The privilege, or the operator's policy, is missing.
    InsufficientPrivilege = "42501",
    /// Nothing answers at the other side.
    ConnectionFailure = "08001",
    /// The other side does not speak the protocol.
    ProtocolViolation = "08P01",
    /// The other side refused the credentials, or the host does not know the user.
    InvalidAuthorization = "28000",
    /// A budget of the host is used up.
    OutOfBudget = "53200",
    /// There is no room left on the disk.
    DiskFull = "53100",
    /// A row of the catalog is not as the host wrote it.
    DataCorrupted = "XX001",
    /// Somebody else holds the store's lock.
    LockNotAvailable = "55P03",
    /// Something still depends on it.
    ObjectInUse = "55006",
    /// The host is not set up for this.
    ObjectNotInPrerequisiteState = "55000",
    /// The store's key is missing, exposed or another one.
    ConfigFile = "F0000",
    /// What the statement began with has changed meanwhile.
    SerializationFailure = "40001",
    /// It was cancelled, or took too long.
    QueryCanceled = "57014",
    /// A file or an object is not there.
    UndefinedFile = "58P01",
    /// A file or an object is there already.
    DuplicateFile = "58P02",
    /// Reading or writing failed.
    InputOutput = "58030",
    /// A fault of this program.
    Internal = "XX000",
}

impl fmt::Display for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_reads_back_as_its_state() {
        assert_eq!(
            SqlState::from_code("42501"),
            SqlState::InsufficientPrivilege
        );
        assert_eq!(SqlState::InsufficientPrivilege.to_string(), "42501");
    }

    #[test]
    fn an_unknown_code_is_a_fault_of_this_program() {
        assert_eq!(SqlState::from_code("00000"), SqlState::Internal);
    }
}
