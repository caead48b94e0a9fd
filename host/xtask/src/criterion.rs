//! The medians that Criterion stores, for those of its benchmarks that have a target.

use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use portolan_figures::Figure;

/// How the names of benchmarks begin, and the most that one run may take in the median.
const TARGETS: &[(&str, Duration)] = &[
    ("million/show one", Duration::from_millis(1)),
    ("million/create one, durable", Duration::from_millis(2)),
    ("1024 KiB/", Duration::from_millis(50)),
];

#[derive(Debug, serde::Deserialize)]
struct Benchmark {
    full_id: String,
}

#[derive(Debug, serde::Deserialize)]
struct Estimates {
    median: Estimate,
}

#[derive(Debug, serde::Deserialize)]
struct Estimate {
    /// In nanoseconds.
    point_estimate: f64,
}

/// The figures below `home`, Criterion's folder, that were measured after `since`, sorted by name.
///
/// # Errors
///
/// A file there cannot be read, or is not as Criterion writes it.
pub fn figures(home: &Path, since: SystemTime) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    collect(home, since, &mut figures)?;
    figures.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(figures)
}

fn collect(folder: &Path, since: SystemTime, figures: &mut Vec<Figure>) -> Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    let estimates = folder.join("new/estimates.json");
    if estimates.is_file() && estimates.metadata()?.modified()? >= since {
        let Benchmark { full_id } = read(&folder.join("new/benchmark.json"))?;
        let target = TARGETS.iter().find(|(begin, _)| full_id.starts_with(begin));
        if let Some((_, most)) = target {
            let Estimates { median } = read(&estimates)?;
            let median = Duration::from_secs_f64(median.point_estimate * 1e-9);
            figures.push(Figure::new(full_id, median, *most));
        }
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        collect(&entry?.path(), since, figures)?;
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(home: &Path, folder: &str, id: &str, nanoseconds: u64) {
        let new = home.join(folder).join("new");
        std::fs::create_dir_all(&new).expect("a folder");
        let estimates = format!(r#"{{"median": {{"point_estimate": {nanoseconds}.5}}}}"#);
        std::fs::write(
            new.join("benchmark.json"),
            format!(r#"{{"full_id": "{id}"}}"#),
        )
        .expect("written");
        std::fs::write(new.join("estimates.json"), estimates).expect("written");
    }

    #[test]
    fn medians_with_a_target_are_figures_and_old_ones_are_not() {
        let home = tempfile::tempdir().expect("a folder");
        measured(home.path(), "million/show one", "million/show one", 200_000);
        measured(
            home.path(),
            "1024 KiB/parse a",
            "1024 KiB/parse a",
            70_000_000,
        );
        measured(home.path(), "statement/parse", "statement/parse", 5);
        let found = figures(home.path(), SystemTime::UNIX_EPOCH).expect("read");
        let verdicts: Vec<_> = found
            .iter()
            .map(|figure| (figure.name.as_str(), figure.holds()))
            .collect();
        assert_eq!(
            verdicts,
            [("1024 KiB/parse a", false), ("million/show one", true)]
        );
        let later = SystemTime::now() + Duration::from_secs(60);
        assert!(figures(home.path(), later).expect("read").is_empty());
        let nowhere = home.path().join("nowhere");
        assert!(
            figures(&nowhere, later)
                .expect("nothing was measured")
                .is_empty()
        );
    }
}
