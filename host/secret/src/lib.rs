//! Secrets that cannot be printed by accident: values, the scrubber, sealing and key slots
