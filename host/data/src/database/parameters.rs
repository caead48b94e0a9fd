//! What a plan says to the server, and of it.

use std::time::Duration;

use portolan_contract::StoredPlan;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation};

/// How long connecting to one server may take, over all its addresses, with TLS and the login.
const MOST_TIME: Duration = Duration::from_secs(30);

/// Who connects, to what.
pub(super) fn config(plan: &StoredPlan, encrypted: bool) -> Config {
    let setting = |name| plan.plan.setting(name);
    let mut config = Config::new();
    config.user(setting("user").unwrap_or_default());
    config.dbname(setting("dbname").unwrap_or_default());
    if let Some(password) = plan.secret("password") {
        config.password(password.expose());
    }
    if let Some(options) = setting("options") {
        config.options(options);
    }
    let application = setting("application_name").or(setting("fallback_application_name"));
    if let Some(application) = application {
        config.application_name(application);
    }
    config.channel_binding(match setting("channel_binding") {
        Some("disable") => ChannelBinding::Disable,
        Some("require") => ChannelBinding::Require,
        _ => ChannelBinding::Prefer,
    });
    match encrypted {
        // TLS is spoken when the library comes to it.
        true => {
            config.ssl_mode(SslMode::Require);
            config.ssl_negotiation(SslNegotiation::Direct);
        }
        false => {
            config.ssl_mode(SslMode::Disable);
        }
    }
    config
}

/// How long connecting to one server may take.
pub(super) fn patience(plan: &StoredPlan) -> Duration {
    let seconds = plan.plan.setting("connect_timeout");
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    match seconds {
        None | Some(0) => MOST_TIME,
        Some(seconds) => Duration::from_secs(seconds).min(MOST_TIME),
    }
}

/// Whether a server of this kind is one that the connection wants; `prefers` says that one of another
/// kind may come.
pub(super) fn is_wanted(wanted: &str, standby: bool, read_only: bool, prefers: bool) -> bool {
    match wanted {
        "read-write" => !standby && !read_only,
        "read-only" => standby || read_only,
        "primary" => !standby,
        "standby" => standby,
        "prefer-standby" => standby || !prefers,
        _ => true,
    }
}
