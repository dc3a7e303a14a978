//! Tables of constants that both sides of the boundary must agree on.

/// Declares constants, and `LAYOUT`, the list of them by name for the check on the Java side.
macro_rules! layout {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $value:expr;)+) => {
        $($(#[$doc])* pub const $name: $type = $value;)+

        /// Every constant of the layout by name, for the check on the Java side.
        pub const LAYOUT: &[(&str, i64)] = &[$((stringify!($name), $value as i64)),+];
    };
}

pub(crate) use layout;
