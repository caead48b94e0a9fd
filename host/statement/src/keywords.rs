//! The keywords, written once: the parser, the printers, completion and masking all read this
//! table.

/// How far a keyword may also serve as a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// As any name.
    Free,
    /// As a string-like name (`CREATE EXTERNAL CONNECTION full`), but not where only identifiers
    /// are taken (`GRANT … ON EXTERNAL CONNECTION "full"`).
    Function,
    /// Only in quotes.
    Reserved,
}

macro_rules! keywords {
    ($($case:ident $text:literal $class:ident,)*) => {
        /// An unquoted word with a meaning of its own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) enum Keyword {
            $($case,)*
        }

        /// Every keyword, sorted by its text.
        const TABLE: &[(&str, Keyword, Class)] = &[$(($text, Keyword::$case, Class::$class),)*];

        const TEXTS: &[&str] = &[$($text,)*];
    };
}

keywords! {
    Abort "ABORT" Free,
    Admin "ADMIN" Free,
    All "ALL" Reserved,
    Alter "ALTER" Free,
    Analyse "ANALYSE" Reserved,
    Analyze "ANALYZE" Reserved,
    And "AND" Reserved,
    Any "ANY" Reserved,
    Array "ARRAY" Reserved,
    As "AS" Reserved,
    Asc "ASC" Reserved,
    Asymmetric "ASYMMETRIC" Reserved,
    Audit "AUDIT" Free,
    Begin "BEGIN" Free,
    Both "BOTH" Reserved,
    Case "CASE" Reserved,
    Cast "CAST" Reserved,
    Check "CHECK" Reserved,
    Collate "COLLATE" Reserved,
    Collation "COLLATION" Function,
    Column "COLUMN" Reserved,
    Comment "COMMENT" Free,
    Commit "COMMIT" Free,
    Concurrently "CONCURRENTLY" Reserved,
    Connection "CONNECTION" Free,
    Connections "CONNECTIONS" Free,
    Constraint "CONSTRAINT" Reserved,
    Create "CREATE" Reserved,
    Cross "CROSS" Function,
    CurrentCatalog "CURRENT_CATALOG" Reserved,
    CurrentDate "CURRENT_DATE" Reserved,
    CurrentRole "CURRENT_ROLE" Reserved,
    CurrentSchema "CURRENT_SCHEMA" Reserved,
    CurrentTime "CURRENT_TIME" Reserved,
    CurrentTimestamp "CURRENT_TIMESTAMP" Reserved,
    CurrentUser "CURRENT_USER" Reserved,
    Default "DEFAULT" Reserved,
    Deferrable "DEFERRABLE" Reserved,
    Desc "DESC" Reserved,
    Distinct "DISTINCT" Reserved,
    Do "DO" Reserved,
    Drop "DROP" Free,
    Else "ELSE" Reserved,
    End "END" Reserved,
    Except "EXCEPT" Reserved,
    Exists "EXISTS" Free,
    Explain "EXPLAIN" Free,
    External "EXTERNAL" Free,
    False "FALSE" Reserved,
    Family "FAMILY" Function,
    Fetch "FETCH" Reserved,
    For "FOR" Reserved,
    Foreign "FOREIGN" Reserved,
    From "FROM" Reserved,
    Full "FULL" Function,
    Grant "GRANT" Reserved,
    Grants "GRANTS" Free,
    Group "GROUP" Reserved,
    Having "HAVING" Reserved,
    If "IF" Free,
    Ilike "ILIKE" Function,
    In "IN" Reserved,
    Initially "INITIALLY" Reserved,
    Inner "INNER" Function,
    Intersect "INTERSECT" Reserved,
    Into "INTO" Reserved,
    Is "IS" Function,
    Isnull "ISNULL" Function,
    Join "JOIN" Function,
    Lateral "LATERAL" Reserved,
    Leading "LEADING" Reserved,
    Left "LEFT" Function,
    Like "LIKE" Function,
    Limit "LIMIT" Reserved,
    Localtime "LOCALTIME" Reserved,
    Localtimestamp "LOCALTIMESTAMP" Reserved,
    Natural "NATURAL" Function,
    None "NONE" Function,
    Not "NOT" Reserved,
    Notnull "NOTNULL" Function,
    Null "NULL" Reserved,
    Offset "OFFSET" Reserved,
    On "ON" Reserved,
    Only "ONLY" Reserved,
    Option "OPTION" Free,
    Options "OPTIONS" Free,
    Or "OR" Reserved,
    Order "ORDER" Reserved,
    Outer "OUTER" Function,
    Overlaps "OVERLAPS" Function,
    Owner "OWNER" Free,
    Parameters "PARAMETERS" Free,
    Placing "PLACING" Reserved,
    Primary "PRIMARY" Reserved,
    Privileges "PRIVILEGES" Free,
    Providers "PROVIDERS" Free,
    References "REFERENCES" Reserved,
    Rename "RENAME" Free,
    Reset "RESET" Free,
    Returning "RETURNING" Reserved,
    Revoke "REVOKE" Free,
    Right "RIGHT" Function,
    Role "ROLE" Free,
    Roles "ROLES" Free,
    Rollback "ROLLBACK" Free,
    Select "SELECT" Reserved,
    SessionUser "SESSION_USER" Reserved,
    Set "SET" Free,
    Show "SHOW" Free,
    Similar "SIMILAR" Function,
    Since "SINCE" Free,
    Some "SOME" Reserved,
    Start "START" Free,
    Symmetric "SYMMETRIC" Reserved,
    System "SYSTEM" Free,
    Table "TABLE" Reserved,
    Then "THEN" Reserved,
    Time "TIME" Free,
    To "TO" Reserved,
    Trailing "TRAILING" Reserved,
    Transaction "TRANSACTION" Free,
    Transfer "TRANSFER" Free,
    True "TRUE" Reserved,
    Union "UNION" Reserved,
    Unique "UNIQUE" Reserved,
    User "USER" Reserved,
    Users "USERS" Free,
    Using "USING" Reserved,
    Validate "VALIDATE" Free,
    Variadic "VARIADIC" Reserved,
    View "VIEW" Reserved,
    Virtual "VIRTUAL" Reserved,
    When "WHEN" Reserved,
    Where "WHERE" Reserved,
    Window "WINDOW" Reserved,
    With "WITH" Reserved,
    Work "WORK" Reserved,
}

/// How many letters a keyword begins with, at most one of `A` to `Z`.
const LETTERS: usize = 26;

/// Where in the table the keywords of each first letter begin, and where the last ones end. Most
/// words of a text are no keywords, so that is found out by comparing few lengths and no texts.
const BEGINNINGS: [usize; LETTERS + 1] = {
    let mut beginnings = [TABLE.len(); LETTERS + 1];
    let mut at = TABLE.len();
    while at > 0 {
        at -= 1;
        let mut letter = (TABLE[at].0.as_bytes()[0] - b'A') as usize;
        beginnings[letter] = at;
        // A letter without keywords begins where the next one does.
        while letter > 0 {
            letter -= 1;
            beginnings[letter] = at;
        }
    }
    beginnings
};

/// Every keyword, in upper case and in alphabetical order, for completion. It holds the words that
/// only other SQL uses as well, which a name may not be without quotes.
#[must_use]
pub fn keywords() -> &'static [&'static str] {
    TEXTS
}

impl Keyword {
    /// The keyword that a word is, in whatever case.
    pub(crate) fn find(word: &str) -> Option<Self> {
        let first = word.as_bytes().first()?.to_ascii_uppercase();
        let letter = usize::from(first.checked_sub(b'A')?);
        let (begin, end) = (BEGINNINGS.get(letter)?, BEGINNINGS.get(letter + 1)?);
        TABLE
            .get(*begin..*end)?
            .iter()
            .find(|(text, ..)| text.len() == word.len() && text.eq_ignore_ascii_case(word))
            .map(|(_, keyword, _)| *keyword)
    }

    /// Every keyword.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(_, keyword, _)| *keyword)
    }

    fn entry(self) -> (&'static str, Class) {
        // The cases are declared in the order of the table.
        TABLE
            .get(self as usize)
            .map_or(("", Class::Reserved), |(text, _, class)| (text, *class))
    }

    /// The keyword in upper case.
    pub(crate) fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// Whether it serves, unquoted, where a statement takes only identifiers.
    pub(crate) fn is_name(self) -> bool {
        self.entry().1 == Class::Free
    }

    /// Whether it serves, unquoted, where a statement takes a string or a word.
    pub(crate) fn is_text(self) -> bool {
        self.entry().1 != Class::Reserved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_keyword_finds_itself() {
        assert!(TABLE.is_sorted_by(|one, other| one.0 < other.0));
        for (text, keyword, _) in TABLE {
            assert_eq!(Keyword::find(text), Some(*keyword));
            assert_eq!(Keyword::find(&text.to_lowercase()), Some(*keyword));
            assert_eq!(keyword.as_str(), *text);
        }
    }

    #[test]
    fn words_that_are_none_are_not_found() {
        for word in [
            "",
            "extern",
            "externals",
            "CURRENT_TIMESTAMPS",
            "é",
            "EXTERNALıı",
        ] {
            assert_eq!(Keyword::find(word), None, "{word}");
        }
    }
}
