//! The hostile guest set: what a provider may try, and what then happens, to the word.
//!
//! The misdeeds are listed once, in `tests/guests/hostile/src/misdeeds.rs`, for the guest and for
//! these tests. [`every_misdeed_has_a_test`] refers to the test of each by its name, so that one
//! without a test does not compile. After each misdeed the same sandbox answers a good call.

#![cfg(test)]

#[path = "../../guests/hostile/src/forms.rs"]
mod forms;
#[path = "../../guests/hostile/src/misdeeds.rs"]
mod misdeeds;

mod authenticating;
mod bench;
mod building;
mod claiming;
mod dialling;
mod leaking;
mod log;
mod planning;
mod probing;
mod redacting;
mod requesting;
mod server;
mod statements;
mod strict;
mod telling;
mod using_keys;

macro_rules! every_misdeed_has_a_test {
    ($($group:ident { $($misdeed:ident,)* })*) => {
        const _: &[&[fn()]] = &[$(&[$($group::$misdeed,)*],)*];
    };
}
misdeeds::for_each_misdeed!(every_misdeed_has_a_test);
