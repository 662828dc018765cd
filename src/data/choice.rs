//! Options whose value is one of a few words.

/// Defines an enum whose variants are written as words in flags and configuration files. Implements `Display`,
/// `FromStr` (with an error that lists the allowed words), `Serialize` and `Deserialize`.
macro_rules! choices {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// The allowed words, in the order of the documentation.
            pub const WORDS: &'static [&'static str] = &[$($word),+];
            /// The variants, in the same order.
            pub const ALL: &'static [Self] = &[$($name::$variant),+];
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(match self { $($name::$variant => $word,)+ })
            }
        }

        impl std::str::FromStr for $name {
            type Err = crate::Error;
            fn from_str(word: &str) -> crate::Result<Self> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err(crate::Error::Usage(format!(
                        "expected one of {}, found \"{word}\"", Self::WORDS.join(", ")))),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let word = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                word.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use choices;
