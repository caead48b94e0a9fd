//! Misdeeds by what a component is, before any of its code runs or as soon as it does.

use std::time::{Duration, Instant};

use portolan::{AddProvider, SqlState};
use portolan_contract::ManifestError;
use portolan_sandbox::{Component, Fault, Limits, LoadError, Provider, Sandbox, SandboxOptions};
use portolan_tests::handmade::Handmade;
use portolan_tests::{attach, hostile};

use crate::bench::{self, Bench, is_fault, revealing};
use crate::claiming::administrator;

/// The guest with its manifest.
fn guest() -> Vec<u8> {
    hostile::with_manifest(hostile::MANIFEST).expect("a component")
}

fn handmade(handmade: &Handmade) -> Vec<u8> {
    handmade.build(hostile::MANIFEST).expect("a component")
}

/// It is not loaded, for this reason; the sandbox goes on.
async fn is_refused(bytes: Vec<u8>, sentence: &str, sqlstate: &str) -> LoadError {
    let bench = Bench::new().await;
    let error = bench.load(bytes).await.expect_err("it is refused");
    assert_eq!(error.to_string(), sentence);
    assert_eq!(error.sqlstate(), sqlstate);
    bench.still_answers().await;
    error
}

/// It is loaded, and stopped as soon as it plans; the sandbox goes on.
async fn is_stopped(bytes: Vec<u8>, fault: &Fault, sentence: &str, sqlstate: &str) {
    let bench = Bench::new().await;
    let provider = bench.load(bytes).await.expect("it loads");
    let error = bench::plan(&provider, "good", bench::SECRET).await;
    is_fault(
        &error.expect_err("it is stopped"),
        fault,
        sentence,
        sqlstate,
    );
    bench.still_answers().await;
}

/// As [`is_stopped`], by the default limit of computing time.
async fn is_out_of_time(bytes: Vec<u8>) {
    let bench = Bench::with_default_limits().await;
    let provider = bench.load(bytes).await.expect("it loads");
    let error = bench::plan(&provider, "good", bench::SECRET).await;
    is_fault(
        &error.expect_err("it is stopped"),
        &Fault::GuestTime(Duration::from_millis(250)),
        "used up its 250 ms of computing time",
        "53200",
    );
    Bench::new().await.still_answers().await;
}

/// Each is far below the limit; together they are above it.
#[tokio::test]
pub(crate) async fn grows_several_memories() {
    let mut component = guest();
    for _ in 0..3 {
        let grow =
            "(module (memory 1) (func $start (drop (memory.grow (i32.const 500)))) (start $start))";
        attach::module(&mut component, grow).expect("attached");
    }
    is_stopped(
        component,
        &Fault::Memory(64 << 20),
        "used up its 64 MiB of memory",
        "53200",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_several_memories_in_one_module() {
    let mut component = guest();
    attach::module(&mut component, "(module (memory 1) (memory 1))").expect("attached");
    let error = Bench::new().await.load(component).await;
    let error = error.expect_err("it is refused");
    assert!(matches!(error, LoadError::Compile { .. }), "{error:?}");
    assert!(error.to_string().contains("multiple memories"), "{error}");
    assert_eq!(error.sqlstate(), "22023");
}

#[tokio::test]
pub(crate) async fn grows_tables() {
    let mut component = guest();
    let grow = "(module (table 0 funcref) (func $start
        (loop $again (drop (table.grow (ref.null func) (i32.const 1000))) (br $again)))
        (start $start))";
    attach::module(&mut component, grow).expect("attached");
    is_stopped(
        component,
        &Fault::TableElements(20_000),
        "used up its 20000 table elements",
        "53200",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn spins_at_its_start() {
    let mut component = guest();
    let spin = "(module (func $start (loop $again (br $again))) (start $start))";
    attach::module(&mut component, spin).expect("attached");
    is_out_of_time(component).await;
}

#[tokio::test]
pub(crate) async fn crashes_at_its_start() {
    let mut component = guest();
    attach::module(
        &mut component,
        "(module (func $start unreachable) (start $start))",
    )
    .expect("attached");
    is_stopped(
        component,
        &Fault::Trap("wasm trap: wasm `unreachable` instruction executed".to_owned()),
        "crashed: wasm trap: wasm `unreachable` instruction executed",
        "08P01",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_too_many_modules() {
    let mut component = guest();
    for _ in 0..20 {
        attach::module(&mut component, "(module (memory 1))").expect("attached");
    }
    let bench = Bench::new().await;
    let error = bench.load(component).await.expect_err("it is refused");
    assert!(matches!(error, LoadError::Compile { .. }), "{error:?}");
    assert!(error.to_string().contains("instances"), "{error}");
    assert_eq!(error.sqlstate(), "22023");
    bench.still_answers().await;
}

async fn is_malformed(plan: &'static str) {
    let component = handmade(&Handmade {
        plan,
        ..Handmade::default()
    });
    is_stopped(
        component,
        &Fault::Malformed,
        "handed over a value that cannot be read",
        "08P01",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn returns_a_list_beyond_its_memory() {
    is_malformed(
        "(i32.store (i32.const 20) (i32.const 65520)) (i32.store (i32.const 24) (i32.const 1000))
         (i32.const 16)",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn returns_an_unknown_case() {
    is_malformed("(i32.store8 (i32.const 16) (i32.const 7)) (i32.const 16)").await;
}

#[tokio::test]
pub(crate) async fn returns_misaligned_memory() {
    is_malformed("(i32.const 17)").await;
}

#[tokio::test]
pub(crate) async fn allocates_beyond_its_memory() {
    let component = handmade(&Handmade {
        allocate: "(i32.const -16)",
        ..Handmade::default()
    });
    is_stopped(
        component,
        &Fault::Malformed,
        "handed over a value that cannot be read",
        "08P01",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn spins_in_its_allocator() {
    is_out_of_time(handmade(&Handmade {
        allocate: "(loop $again (br $again)) (i32.const 16)",
        ..Handmade::default()
    }))
    .await;
}

#[tokio::test]
pub(crate) async fn spins_after_it_answered() {
    is_out_of_time(handmade(&Handmade {
        after: "(loop $again (br $again))",
        ..Handmade::default()
    }))
    .await;
}

#[tokio::test]
pub(crate) async fn makes_handles() {
    let mut component = guest();
    let make = "(module
        (import \"host\" \"make\" (func $make (param i32) (result i32)))
        (func $start (loop $again (drop (call $make (i32.const 1))) (br $again)))
        (start $start))";
    attach::module_that_makes_handles(&mut component, make).expect("attached");
    is_stopped(
        component,
        &Fault::Handles(512),
        "used up its 512 handles",
        "53200",
    )
    .await;
}

const WASI: &str = "package wasi:cli@0.2.0; interface environment { initial-cwd: func() -> u32; }";

#[tokio::test]
pub(crate) async fn imports_wasi() {
    let mut wasi = Handmade::default();
    wasi.world.push_str(" import wasi:cli/environment@0.2.0;");
    wasi.other_package = WASI;
    wasi.imports = "(import \"wasi:cli/environment@0.2.0\" \"initial-cwd\" (func (result i32)))";
    is_refused(
        handmade(&wasi),
        "provider hostile imports wasi:cli/environment@0.2.0, which is not part of the contract",
        "0A000",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn imports_a_later_contract() {
    let later = Handmade {
        contract: "0.2.0",
        ..Handmade::default()
    };
    is_refused(
        handmade(&later),
        "provider hostile imports portolan:types/types@0.2.0, and this host speaks contract 0.1",
        "0A000",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn imports_a_function_that_the_contract_lacks() {
    let mut edited = Handmade {
        replaced: (
            "write: func(level: level, message: string);",
            "erase: func() -> u32;",
        ),
        imports: "(import \"portolan:host/log@0.1.0\" \"erase\" (func (result i32)))",
        ..Handmade::default()
    };
    edited.world.push_str(" import portolan:host/log@0.1.0;");
    let bench = Bench::new().await;
    let error = bench
        .load(handmade(&edited))
        .await
        .expect_err("it is refused");
    assert!(matches!(error, LoadError::ImportType { .. }), "{error:?}");
    assert_eq!(error.sqlstate(), "0A000");
    let sentence = error.to_string();
    assert!(
        sentence.starts_with(
            "provider hostile uses the contract in a way that this host does not know: "
        ) && sentence.contains("erase"),
        "{sentence}"
    );
    bench.still_answers().await;
}

#[tokio::test]
pub(crate) async fn lacks_planning() {
    let lacking = Handmade {
        world: "export portolan:provider/storage@0.1.0;".to_owned(),
        lacks: "planning",
        ..Handmade::default()
    };
    is_refused(
        handmade(&lacking),
        "provider hostile does not export portolan:provider/planning@0.1.0, which every provider \
         needs",
        "0A000",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn lacks_the_interface_of_its_kind() {
    let manifest = hostile::MANIFEST.replace("[\"storage\"]", "[\"storage\", \"registry\"]");
    is_refused(
        hostile::with_manifest(&manifest).expect("a component"),
        "provider hostile does not export portolan:provider/registry@0.1.0, which its manifest \
         promises with the kind registry",
        "0A000",
    )
    .await;
}

/// The runtime compares the types of exports when it binds an instance: the host has it do so when a
/// provider is added, in both phases, and nothing of a component that does not fit stays behind.
#[tokio::test]
pub(crate) async fn exports_another_type() {
    for (replaced, interface) in [
        (
            (
                "result<list<plan-entry>, failure>",
                "result<list<string>, failure>",
            ),
            "planning",
        ),
        (
            (
                "probe: func(plan: list<plan-entry>, reader",
                "probe: func(plan: list<string>, reader",
            ),
            "storage",
        ),
    ] {
        let edited = Handmade {
            replaced,
            ..Handmade::default()
        };
        let directory = tempfile::tempdir().expect("a directory");
        let root = administrator(&directory).await;
        let error = root
            .add_provider(&handmade(&edited), AddProvider::default())
            .await
            .expect_err("it does not fit");
        let beginning = format!(
            "provider hostile exports portolan:provider/{interface}@0.1.0 with another type than \
             the contract's: "
        );
        assert!(error.message().starts_with(&beginning), "{error:?}");
        assert!(!error.message().contains('\n'), "{error:?}");
        assert_eq!(error.sqlstate(), SqlState::FeatureNotSupported);
        assert_eq!(
            error.hint(),
            Some("build it again with the SDK for this host, or use a host for its contract")
        );
        assert!(!directory.path().join("plugins").exists());
        let error = root.inspect_provider("hostile").await;
        assert_eq!(
            error.expect_err("it is not there").sqlstate(),
            SqlState::UndefinedObject
        );
    }
    Bench::new().await.still_answers().await;
}

#[tokio::test]
pub(crate) async fn speaks_another_contract() {
    let manifest = hostile::MANIFEST.replace("contract = \"0.1\"", "contract = \"9.1\"");
    is_refused(
        hostile::with_manifest(&manifest).expect("a component"),
        "the provider was built for contract 9.1, and this host speaks 0.1; build it again with an \
         SDK for 0.1, or use a host for 9.1",
        "0A000",
    )
    .await;
}

const SECTION: &str = "portolan:manifest";

#[tokio::test]
pub(crate) async fn has_no_manifest() {
    is_refused(
        hostile::bare().expect("a component").to_vec(),
        "the component has no manifest: it has no custom section portolan:manifest",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_two_manifests() {
    let mut component = guest();
    attach::custom_section(&mut component, SECTION, hostile::MANIFEST.as_bytes());
    is_refused(
        component,
        "the component has more than one custom section portolan:manifest",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn hides_its_manifest_in_a_module() {
    let mut component = hostile::bare().expect("a component").to_vec();
    let module = "(module (@custom \"portolan:manifest\" \"name = 'other'\"))";
    attach::module(&mut component, module).expect("attached");
    is_refused(
        component,
        "a part inside the component has a custom section portolan:manifest",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn hides_a_second_manifest_in_a_module() {
    let mut component = guest();
    let module = "(module (@custom \"portolan:manifest\" \"name = 'other'\"))";
    attach::module(&mut component, module).expect("attached");
    is_refused(
        component,
        "a part inside the component has a custom section portolan:manifest",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_a_manifest_that_is_not_utf8() {
    let mut component = hostile::bare().expect("a component").to_vec();
    attach::custom_section(&mut component, SECTION, b"name = \"\xff\"");
    is_refused(
        component,
        "the manifest of the component is not UTF-8",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_too_large_a_manifest() {
    let mut component = hostile::bare().expect("a component").to_vec();
    attach::custom_section(&mut component, SECTION, &vec![b'#'; (64 << 10) + 1]);
    is_refused(
        component,
        "the manifest has 65537 bytes; the most is 65536",
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn is_too_large() {
    let mut component = guest();
    attach::custom_section(&mut component, "padding", &vec![0; 8 << 20]);
    let size = component.len();
    is_refused(
        component,
        &format!("the component has {size} bytes; the most is 8 MiB"),
        "53200",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn has_too_many_functions() {
    let mut component = guest();
    let module = format!("(module {})", "(func)".repeat(50_001));
    attach::module(&mut component, &module).expect("attached");
    let bench = Bench::new().await;
    let error = bench.load(component).await.expect_err("it is refused");
    let LoadError::TooManyFunctions { found, most } = error else {
        panic!("{error:?}");
    };
    assert!(found > 50_001);
    assert_eq!(most, 50_000);
    assert_eq!(error.sqlstate(), "53200");
    assert_eq!(
        error.to_string(),
        format!("the component has {found} functions; the most is 50000")
    );
    bench.still_answers().await;
}

/// The caller is not kept waiting; the compiler ends when it is done.
#[tokio::test]
pub(crate) async fn takes_too_long_to_compile() {
    let mut limits = Limits::default();
    limits.compile_time = Duration::from_millis(1);
    let options = SandboxOptions {
        limits,
        ..SandboxOptions::default()
    };
    let sandbox = Sandbox::new(options).expect("a sandbox");
    let mut component = guest();
    let body = "(local i32)".to_owned()
        + &"(local.set 0 (i32.add (local.get 0) (i32.const 1)))".repeat(50_000);
    attach::module(&mut component, &format!("(module (func {body}))")).expect("attached");
    let started = Instant::now();
    let error = sandbox.load(Component::new(component)).await;
    let error = error.expect_err("it takes too long");
    assert_eq!(
        error,
        LoadError::CompileTime {
            most: Duration::from_millis(1)
        }
    );
    assert_eq!(
        error.to_string(),
        "the component was not compiled within 1 ms"
    );
    assert_eq!(error.sqlstate(), "53200");
    assert!(started.elapsed() < Duration::from_secs(5));
}

const NO_COMPONENT: &str = "the file is no WebAssembly component that this host can read: ";

#[tokio::test]
pub(crate) async fn is_a_core_module() {
    let module = wat_module("(module)");
    is_refused(
        module,
        &format!("{NO_COMPONENT}it is a core module"),
        "22023",
    )
    .await;
}

fn wat_module(text: &str) -> Vec<u8> {
    portolan_tests::handmade::core_module(text).expect("a module")
}

#[tokio::test]
pub(crate) async fn is_empty() {
    is_refused(
        Vec::new(),
        &format!("{NO_COMPONENT}unexpected end-of-file (at byte 0)"),
        "22023",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn is_no_wasm() {
    let bytes = b"\x7fELF and more of it".to_vec();
    let error = Bench::new().await.load(bytes).await.expect_err("refused");
    assert!(error.to_string().starts_with(NO_COMPONENT), "{error}");
    assert_eq!(error.sqlstate(), "22023");
}

#[tokio::test]
pub(crate) async fn is_cut_short() {
    let bench = Bench::new().await;
    let component = guest();
    for part in 1..40 {
        let mut cut = component.clone();
        cut.truncate(component.len() * part / 40);
        let error = bench.load(cut).await.expect_err("it is cut");
        assert!(
            matches!(
                error,
                LoadError::NotAComponent { .. } | LoadError::NoManifest
            ),
            "{part}: {error:?}"
        );
        assert_eq!(error.sqlstate(), "22023");
    }
    bench.still_answers().await;
}

/// A component with flipped bits is refused, or is another component that is stopped or answers:
/// nothing else happens, and nobody panics.
#[tokio::test]
pub(crate) async fn has_flipped_bits() {
    let bench = Bench::new().await;
    let component = handmade(&Handmade::default());
    let mut refused = 0;
    for place in (0..component.len()).step_by(component.len() / 60) {
        let mut flipped = component.clone();
        flipped[place] ^= 0x5a;
        match bench.load(flipped).await {
            Err(error) => {
                refused += 1;
                assert!(matches!(error.sqlstate(), "22023" | "0A000"), "{error:?}");
            }
            Ok(provider) => drop(bench_plan(&provider).await),
        }
    }
    assert!(refused > 30, "{refused}");
    bench.still_answers().await;
}

/// The scheme may have been what was flipped.
async fn bench_plan(provider: &Provider) -> Option<String> {
    let scheme = &provider.manifest().schemes[0];
    let uri = portolan_secret::SecretText::new(format!("{scheme}://x/good"));
    let uri = portolan_contract::split(&uri, provider.manifest()).ok()?;
    let planned = provider.plan(&uri).await;
    planned.err().map(|error| error.to_string())
}

#[tokio::test]
pub(crate) async fn has_another_digest() {
    let bench = Bench::new().await;
    let mut component = Component::new(guest());
    component.expected_digest = Some("0".repeat(64));
    let error = bench.sandbox.load(component).await.expect_err("refused");
    let found = bench.provider.digest();
    assert_eq!(
        error.to_string(),
        format!(
            "the component has SHA-256 {found}, and {} was approved",
            "0".repeat(64)
        )
    );
    assert_eq!(error.sqlstate(), "XX001");
    let mut approved = Component::new(guest());
    approved.expected_digest = Some(found.to_owned());
    bench.sandbox.load(approved).await.expect("it loads");
}

#[tokio::test]
pub(crate) async fn declares_a_password_public() {
    let option = "\n[[option]]\nname = \"Password\"\npublic = true\nmeaning = \"a password\"\n";
    let manifest = format!("{}{option}", hostile::MANIFEST);
    let bytes = hostile::with_manifest(&manifest).expect("a component");
    let error = is_refused(
        bytes.clone(),
        "the option Password looks like a credential and is declared public; if its value may be \
         shown to everybody who sees the connection, add the provider with --allow-public Password",
        "42501",
    )
    .await;
    assert_eq!(
        error,
        LoadError::Manifest(ManifestError::PublicCredential {
            option: "Password".to_owned()
        })
    );
    let bench = Bench::new().await;
    for (allowed, loads) in [("password", false), ("second", false), ("Password", true)] {
        let mut component = Component::new(bytes.clone());
        component.allow_public = vec![allowed.to_owned()];
        assert_eq!(
            bench.sandbox.load(component).await.is_ok(),
            loads,
            "{allowed}"
        );
    }
}

#[tokio::test]
pub(crate) async fn reveals_without_being_asked() {
    is_refused(
        hostile::with_manifest(&revealing()).expect("a component"),
        "provider hostile asks to see secrets in clear: key",
        "42501",
    )
    .await;
}

#[tokio::test]
pub(crate) async fn claims_external() {
    let manifest = hostile::MANIFEST.replace("[\"hostile\"]", "[\"external\"]");
    is_refused(
        hostile::with_manifest(&manifest).expect("a component"),
        "schemes: external is how connections are named; no provider may have it",
        "22023",
    )
    .await;
}
