//! The built-in providers: components and manifests that a host loads
