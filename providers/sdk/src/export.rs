//! From a provider's traits to the exports of a component.

/// Makes the component of a crate export a provider: phase one, and phase two for each kind that is
/// named: `export!(Nodelocal: storage);`, `export!(Web: storage, registry);`. The kinds are
/// `storage`, `kms`, `sink`, `registry`, `database`, and beside `storage` also `streaming`, for a
/// store whose bytes pass through the guest.
///
/// Natively nothing is exported, so that several providers can be linked into one program.
#[macro_export]
macro_rules! export {
    ($provider:ident : $($kind:ident),+ $(,)?) => {
        $($crate::instance!($provider: $kind);)+

        #[cfg(target_family = "wasm")]
        #[allow(
            unsafe_code,
            reason = "the entry points of a component are raw functions"
        )]
        mod exported {
            use super::$provider;
            mod planning {
                use super::$provider;
                $crate::bindings::planning::export!(
                    $provider with_types_in $crate::bindings::planning
                );
            }
            $(
                mod $kind {
                    use super::$provider;
                    $crate::bindings::$kind::export!(
                        $provider with_types_in $crate::bindings::$kind
                    );
                }
            )+
        }
    };
}

/// The place where an instance keeps what it opened, for the kinds that open something.
#[doc(hidden)]
#[macro_export]
macro_rules! instance {
    ($provider:ident : sink) => {
        $crate::instance!(@keep $provider, $crate::SinkProvider);
    };
    ($provider:ident : streaming) => {
        $crate::instance!(@keep $provider, $crate::StreamingProvider);
    };
    ($provider:ident : $kind:ident) => {};
    (@keep $provider:ident, $trait:path) => {
        impl $crate::Instance for $provider {
            type Open = <$provider as $trait>::Open;

            fn with<R>(run: impl FnOnce(&mut Option<Self::Open>) -> R) -> R {
                thread_local! {
                    static OPEN: std::cell::RefCell<Option<<$provider as $trait>::Open>> =
                        const { std::cell::RefCell::new(None) };
                }
                OPEN.with_borrow_mut(run)
            }
        }
    };
}
