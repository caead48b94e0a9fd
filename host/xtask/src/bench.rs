//! Every benchmark of the workspace, one after another, and their figures in one table.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use anyhow::{Context, Result, ensure};
use portolan_figures::{Figure, Quantity};

use crate::criterion;
use crate::plugins::{self, Folders};

/// One benchmark of one package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Benchmark {
    /// The package.
    pub package: String,
    /// The name of the target.
    pub target: String,
    /// The features of the package that it needs.
    pub features: Vec<String>,
}

/// What came of all benchmarks.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The figures, in the order in which they were printed.
    pub figures: Vec<Figure>,
    /// Benchmarks that did not end well, and lines that should have been figures.
    pub failures: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, serde::Deserialize)]
struct Package {
    name: String,
    targets: Vec<Target>,
}

#[derive(Debug, serde::Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// The benchmarks of the workspace at `root`, sorted; a package without one is passed over.
///
/// # Errors
///
/// Cargo does not tell what the workspace holds.
pub fn benchmarks(root: &Path) -> Result<Vec<Benchmark>> {
    metadata(root).map(benchmarks_of)
}

fn metadata(root: &Path) -> Result<Metadata> {
    let output = cargo(root)
        .args(["metadata", "--no-deps", "--format-version=1"])
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    serde_json::from_slice(&output.stdout).context("cannot read what cargo metadata printed")
}

fn benchmarks_of(metadata: Metadata) -> Vec<Benchmark> {
    let mut benchmarks = Vec::new();
    for package in metadata.packages {
        for target in package.targets {
            if target.kind.iter().any(|kind| kind == "bench") {
                benchmarks.push(Benchmark {
                    package: package.name.clone(),
                    target: target.name,
                    features: target.required_features,
                });
            }
        }
    }
    benchmarks.sort_unstable();
    benchmarks
}

/// Runs every benchmark whose package or target holds `filter`, shows on `out` what they print, and
/// collects their figures. The sizes of the committed components are figures as well.
///
/// # Errors
///
/// A benchmark cannot be started, or `out` not be written. One that fails is in the report.
pub fn run(root: &Path, filter: &str, out: &mut dyn Write) -> Result<Report> {
    let mut report = Report::default();
    let metadata = metadata(root)?;
    let criterion_home = metadata.target_directory.join("criterion");
    let began = SystemTime::now();
    for benchmark in benchmarks_of(metadata) {
        let Benchmark {
            package,
            target,
            features,
        } = &benchmark;
        if !package.contains(filter) && !target.contains(filter) {
            continue;
        }
        writeln!(out, "== {package}: {target}")?;
        let mut command = cargo(root);
        command.args(["bench", "--quiet", "--package", package, "--bench", target]);
        command.args(["--features", &features.join(",")]);
        command.env("CRITERION_HOME", &criterion_home);
        run_one(
            &mut command,
            &format!("{package}: {target}"),
            out,
            &mut report,
        )?;
    }
    let medians = criterion::figures(&criterion_home, began)?;
    report.figures.extend(medians);
    if "plugins".contains(filter) {
        report.figures.extend(sizes(&Folders::of_repository(root))?);
    }
    Ok(report)
}

fn run_one(
    command: &mut Command,
    name: &str,
    out: &mut dyn Write,
    report: &mut Report,
) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.with_context(|| format!("cannot read what {name} prints"))?;
            writeln!(out, "{line}")?;
            match Figure::on_line(&line) {
                Ok(figure) => report.figures.extend(figure),
                Err(error) => report.failures.push(format!("{name}: {error}: {line}")),
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        report.failures.push(format!("{name}: {status}"));
    }
    Ok(())
}

fn sizes(folders: &Folders) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for (name, bytes) in folders.committed_sizes()? {
        let name_of_figure = format!("component of {name}");
        figures.push(Figure::new(
            name_of_figure,
            Quantity::bytes(bytes),
            Quantity::bytes(plugins::budget(&name)),
        ));
    }
    Ok(figures)
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

impl Report {
    /// Whether every benchmark ended well and every figure holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.failures.is_empty() && self.figures.iter().all(Figure::holds)
    }

    /// The figures in columns: what, measured, at most, verdict; then what failed.
    #[must_use]
    pub fn table(&self) -> String {
        let mut rows = vec![["figure", "measured", "at most", ""].map(str::to_owned)];
        for figure in &self.figures {
            let verdict = if figure.holds() { "pass" } else { "MISS" };
            rows.push([
                figure.name.clone(),
                figure.value.to_string(),
                figure.target.to_string(),
                verdict.to_owned(),
            ]);
        }
        let width = |column: usize| {
            let widths = rows.iter().map(|row| row[column].chars().count());
            widths.max().unwrap_or_default()
        };
        let widths = [width(0), width(1), width(2)];
        let mut table = String::new();
        for [name, value, target, verdict] in &rows {
            let line = format!(
                "{name:<0$}  {value:>1$}  {target:>2$}  {verdict}",
                widths[0], widths[1], widths[2]
            );
            table.push_str(line.trim_end());
            table.push('\n');
        }
        for failure in &self.failures {
            // Writing to a string does not fail.
            let _ = writeln!(table, "FAILED {failure}");
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report_of(script: &str) -> (Report, String) {
        let (mut report, mut out) = (Report::default(), Vec::new());
        let mut shell = Command::new("sh");
        run_one(shell.args(["-c", script]), "a: b", &mut out, &mut report).expect("started");
        (report, String::from_utf8(out).expect("text"))
    }

    #[test]
    fn figures_are_collected_from_among_other_lines() {
        let (report, out) = report_of(
            "echo time: 1; echo 'figure: x of y 1 ms ≤ 2 ms'; echo 'figure: z 3 x ≤ 2 x'",
        );
        assert_eq!(out.lines().count(), 3, "everything is shown");
        assert!(report.failures.is_empty());
        assert!(!report.holds(), "one is missed");
        assert_eq!(
            report.table(),
            "figure  measured   at most\n\
             x of y  1.000 ms  2.000 ms  pass\n\
             z        3.000 x   2.000 x  MISS\n"
        );
    }

    #[test]
    fn a_benchmark_that_fails_is_named_and_the_table_is_still_printed() {
        let (report, _) = report_of("echo 'figure: a 1 x ≤ 2 x'; echo 'figure: nonsense'; exit 3");
        assert!(!report.holds());
        let table = report.table();
        assert!(table.contains("1.000 x  2.000 x  pass"), "{table}");
        assert!(
            table.contains("FAILED a: b: a figure is written as"),
            "{table}"
        );
        assert!(table.contains("FAILED a: b: exit status: 3"), "{table}");
    }

    #[test]
    fn the_benchmarks_are_those_of_the_workspace() {
        let found = benchmarks(&crate::repository()).expect("listed");
        let listed = |package: &str, target: &str, features: &[&str]| {
            let benchmark = Benchmark {
                package: package.to_owned(),
                target: target.to_owned(),
                features: features.iter().map(|it| (*it).to_owned()).collect(),
            };
            assert!(found.contains(&benchmark), "{found:?}");
        };
        listed("portolan-data", "transfer", &[]);
        listed("portolan-broker", "emit", &["rdkafka"]);
    }

    #[test]
    fn every_committed_component_is_a_figure_that_holds() {
        let figures = sizes(&Folders::of_this_repository()).expect("sizes");
        assert!(
            figures
                .iter()
                .any(|figure| figure.name == "component of nodelocal")
        );
        assert!(figures.iter().all(Figure::holds), "{figures:?}");
    }
}
