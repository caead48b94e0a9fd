//! One line of the report, and how unfinished uploads are told in it.

use std::borrow::Cow;

use portolan::UnfinishedUpload;
use portolan_contract::strip_controls;

/// How many paths a check names.
pub(super) const MAX_SHOWN: usize = 5;

/// The longest path that is shown, in bytes: services name their objects as they like.
const MAX_PATH: usize = 256;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok,
    Warning,
    Failed,
}

impl Verdict {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One line of the report.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) what: Cow<'static, str>,
    pub(super) verdict: Verdict,
    pub(super) detail: String,
    pub(super) hint: Cow<'static, str>,
}

impl Check {
    pub(super) fn ok(what: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            verdict: Verdict::Ok,
            detail: detail.into(),
            hint: "".into(),
        }
    }

    pub(super) fn warning(
        what: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            what: what.into(),
            verdict: Verdict::Warning,
            detail: detail.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn failed(
        what: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
        hint: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            what: what.into(),
            verdict: Verdict::Failed,
            detail: detail.into(),
            hint: hint.into(),
        }
    }
}

/// `2 uploads were left unfinished (16 MiB): a, b`; `complete` says whether these are all.
pub(super) fn told(uploads: &[UnfinishedUpload], complete: bool) -> String {
    let least = if complete { "" } else { "at least " };
    let count = match uploads.len() {
        1 => format!("{least}an upload was"),
        many => format!("{least}{many} uploads were"),
    };
    let sizes: Option<u64> = uploads.iter().map(|upload| upload.size).sum();
    let size = match sizes {
        Some(bytes) => format!(" ({})", bytesize::ByteSize(bytes).display().iec()),
        None => String::new(),
    };
    format!("{count} left unfinished{size}: {}", named(uploads))
}

/// The paths of some of them, and since when.
pub(super) fn named(uploads: &[UnfinishedUpload]) -> String {
    let shown = uploads.iter().take(MAX_SHOWN);
    let names: Vec<String> = shown.map(name).collect();
    let more = if uploads.len() > MAX_SHOWN {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", names.join(", "))
}

fn name(upload: &UnfinishedUpload) -> String {
    let path = strip_controls(&upload.path, MAX_PATH);
    let since = upload.since.and_then(|since| {
        let since = jiff::Timestamp::try_from(since).ok()?;
        since.round(jiff::Unit::Second).ok()
    });
    match since {
        // A local file is named as it lies; its time is beside it.
        Some(since) if upload.id.is_some() => format!("{path} (begun {since})"),
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    fn upload(path: &str, size: Option<u64>, id: Option<&str>) -> UnfinishedUpload {
        UnfinishedUpload {
            path: path.to_owned(),
            size,
            since: Some(UNIX_EPOCH + Duration::from_millis(1_900)),
            id: id.map(str::to_owned),
        }
    }

    #[test]
    fn uploads_are_told_with_their_number_size_and_some_of_their_names() {
        let one = [upload("a\u{1b}[2Jb", Some(8 << 20), None)];
        assert_eq!(
            told(&one, true),
            "an upload was left unfinished (8.0 MiB): ab"
        );
        let many: Vec<_> = (0..7)
            .map(|number| upload(&number.to_string(), None, Some("id")))
            .collect();
        let told = told(&many, false);
        assert!(
            told.starts_with(
                "at least 7 uploads were left unfinished: 0 (begun 1970-01-01T00:00:02Z), 1"
            ),
            "{told}"
        );
        assert!(
            told.ends_with("4 (begun 1970-01-01T00:00:02Z), …"),
            "{told}"
        );
    }
}
