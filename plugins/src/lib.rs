//! The built-in providers: components and manifests that a host loads.
//!
//! Each component lies beside a copy of its manifest; both are rebuilt from `providers/` by
//! `cargo xtask plugins`, and a feature for each provider decides whether it is embedded.

/// A provider that is embedded in the binary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// The provider's name.
    pub name: &'static str,
    /// The component, its manifest included.
    pub component: &'static [u8],
    /// The text of the manifest, equal byte for byte with the one in the component.
    pub manifest: &'static str,
}

impl std::fmt::Debug for BuiltIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuiltIn")
            .field("name", &self.name)
            .field("component_bytes", &self.component.len())
            .finish_non_exhaustive()
    }
}

/// The embedded providers, sorted by name.
#[must_use]
pub fn built_in() -> &'static [BuiltIn] {
    &[
        #[cfg(feature = "aws-kms")]
        BuiltIn {
            name: "aws-kms",
            component: include_bytes!("../aws-kms.wasm"),
            manifest: include_str!("../aws-kms.toml"),
        },
        #[cfg(feature = "azure-blob")]
        BuiltIn {
            name: "azure-blob",
            component: include_bytes!("../azure-blob.wasm"),
            manifest: include_str!("../azure-blob.toml"),
        },
        #[cfg(feature = "azure-kms")]
        BuiltIn {
            name: "azure-kms",
            component: include_bytes!("../azure-kms.wasm"),
            manifest: include_str!("../azure-kms.toml"),
        },
        #[cfg(feature = "gcp-kms")]
        BuiltIn {
            name: "gcp-kms",
            component: include_bytes!("../gcp-kms.wasm"),
            manifest: include_str!("../gcp-kms.toml"),
        },
        #[cfg(feature = "gcpubsub")]
        BuiltIn {
            name: "gcpubsub",
            component: include_bytes!("../gcpubsub.wasm"),
            manifest: include_str!("../gcpubsub.toml"),
        },
        #[cfg(feature = "gs")]
        BuiltIn {
            name: "gs",
            component: include_bytes!("../gs.wasm"),
            manifest: include_str!("../gs.toml"),
        },
        #[cfg(feature = "http")]
        BuiltIn {
            name: "http",
            component: include_bytes!("../http.wasm"),
            manifest: include_str!("../http.toml"),
        },
        #[cfg(feature = "kafka")]
        BuiltIn {
            name: "kafka",
            component: include_bytes!("../kafka.wasm"),
            manifest: include_str!("../kafka.toml"),
        },
        #[cfg(feature = "nodelocal")]
        BuiltIn {
            name: "nodelocal",
            component: include_bytes!("../nodelocal.wasm"),
            manifest: include_str!("../nodelocal.toml"),
        },
        #[cfg(feature = "postgres")]
        BuiltIn {
            name: "postgres",
            component: include_bytes!("../postgres.wasm"),
            manifest: include_str!("../postgres.toml"),
        },
        #[cfg(feature = "s3")]
        BuiltIn {
            name: "s3",
            component: include_bytes!("../s3.wasm"),
            manifest: include_str!("../s3.toml"),
        },
        #[cfg(feature = "userfile")]
        BuiltIn {
            name: "userfile",
            component: include_bytes!("../userfile.wasm"),
            manifest: include_str!("../userfile.toml"),
        },
        #[cfg(feature = "webhook")]
        BuiltIn {
            name: "webhook",
            component: include_bytes!("../webhook.wasm"),
            manifest: include_str!("../webhook.toml"),
        },
    ]
}

/// The embedded provider of that name.
#[must_use]
pub fn built_in_named(name: &str) -> Option<&'static BuiltIn> {
    built_in().iter().find(|provider| provider.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_sorted_and_each_is_there_once() {
        assert!(
            built_in()
                .windows(2)
                .all(|pair| pair[0].name < pair[1].name)
        );
    }

    #[test]
    fn every_component_ends_with_its_manifest() {
        for provider in built_in() {
            assert_eq!(&provider.component[..4], b"\0asm", "{provider:?}");
            assert!(
                provider.component.ends_with(provider.manifest.as_bytes()),
                "{provider:?}"
            );
            assert!(
                provider
                    .manifest
                    .contains(&format!("name = \"{}\"", provider.name)),
                "{provider:?}"
            );
        }
    }

    #[test]
    #[cfg(all(
        feature = "aws-kms",
        feature = "azure-blob",
        feature = "azure-kms",
        feature = "gcp-kms",
        feature = "gcpubsub",
        feature = "gs",
        feature = "http",
        feature = "kafka",
        feature = "nodelocal",
        feature = "postgres",
        feature = "s3",
        feature = "userfile",
        feature = "webhook"
    ))]
    fn every_provider_is_embedded_by_default() {
        let names: Vec<_> = built_in().iter().map(|provider| provider.name).collect();
        assert_eq!(
            names,
            [
                "aws-kms",
                "azure-blob",
                "azure-kms",
                "gcp-kms",
                "gcpubsub",
                "gs",
                "http",
                "kafka",
                "nodelocal",
                "postgres",
                "s3",
                "userfile",
                "webhook"
            ]
        );
    }
}
