//! What an instance keeps between calls: an open sink, or an open store.

use crate::{Failure, FailureClass};

/// The one thing that an instance of a component keeps open. [`export!`](crate::export) implements
/// it.
pub trait Instance {
    /// What is kept.
    type Open: 'static;

    /// Does something with the place where it is kept.
    fn with<R>(run: impl FnOnce(&mut Option<Self::Open>) -> R) -> R;
}

/// Does something with what is open.
pub(crate) fn with_open<I: Instance, R>(
    run: impl FnOnce(&mut I::Open) -> Result<R, Failure>,
) -> Result<R, Failure> {
    I::with(|open| match open {
        Some(open) => run(open),
        None => Err(not_open()),
    })
}

/// Keeps what `open` opens, unless something is open already.
pub(crate) fn keep<I: Instance>(
    open: impl FnOnce() -> Result<I::Open, Failure>,
) -> Result<(), Failure> {
    I::with(|kept| {
        if kept.is_some() {
            return Err(Failure::new(
                FailureClass::Protocol,
                "the host opened one instance twice",
            ));
        }
        *kept = Some(open()?);
        Ok(())
    })
}

fn not_open() -> Failure {
    Failure::new(
        FailureClass::Protocol,
        "the host used an instance that is not open",
    )
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    struct Number;

    thread_local! {
        static KEPT: RefCell<Option<u32>> = const { RefCell::new(None) };
    }

    impl Instance for Number {
        type Open = u32;

        fn with<R>(run: impl FnOnce(&mut Option<u32>) -> R) -> R {
            KEPT.with_borrow_mut(run)
        }
    }

    #[test]
    fn an_instance_is_opened_once_and_used_only_while_it_is_open() {
        let read = || with_open::<Number, _>(|number| Ok(*number));
        assert_eq!(read(), Err(not_open()));
        let refused = keep::<Number>(|| Err(Failure::invalid_uri("no")));
        assert_eq!(refused, Err(Failure::invalid_uri("no")));
        assert_eq!(read(), Err(not_open()));
        assert_eq!(keep::<Number>(|| Ok(7)), Ok(()));
        assert_eq!(read(), Ok(7));
        let twice = keep::<Number>(|| Ok(8)).expect_err("twice");
        assert_eq!(twice.message, "the host opened one instance twice");
        assert_eq!(read(), Ok(7));
    }
}
