//! Parts that are attached to a finished component: its index spaces only grow, so that what is
//! there stays as it is.

use anyhow::Result;
use wasm_encoder::{
    CanonicalFunctionSection, Component, ComponentSection, ComponentTypeSection, CustomSection,
    ExportKind, InstanceSection, ModuleArg, RawSection,
};
use wasmparser::{Parser, Payload, Validator};

/// Appends a core module, in the text format and without imports, and an instance of it. Its start
/// function runs whenever the component is instantiated.
///
/// # Errors
///
/// The bytes are no component, or the text is no module.
pub fn module(component: &mut Vec<u8>, text: &str) -> Result<()> {
    let number = Counts::of(component)?.modules;
    append_module(component, text)?;
    let mut instances = InstanceSection::new();
    instances.instantiate::<_, &str>(number, []);
    instances.append_to_component(component);
    Ok(())
}

/// Appends a core module that imports `host.make`, which makes a handle of a resource of the
/// component's own.
///
/// # Errors
///
/// As [`module`].
pub fn module_that_makes_handles(component: &mut Vec<u8>, text: &str) -> Result<()> {
    let counts = Counts::of(component)?;
    append_module(component, text)?;
    let mut types = ComponentTypeSection::new();
    types.resource(wasm_encoder::ValType::I32, None);
    types.append_to_component(component);
    let mut functions = CanonicalFunctionSection::new();
    functions.resource_new(counts.types);
    functions.append_to_component(component);
    let mut instances = InstanceSection::new();
    instances.export_items([("make", ExportKind::Func, counts.functions)]);
    instances.instantiate(
        counts.modules,
        [("host", ModuleArg::Instance(counts.instances))],
    );
    instances.append_to_component(component);
    Ok(())
}

/// Appends a custom section at the top level.
pub fn custom_section(component: &mut Vec<u8>, name: &str, data: &[u8]) {
    CustomSection {
        name: name.into(),
        data: data.into(),
    }
    .append_to_component(component);
}

fn append_module(component: &mut Vec<u8>, text: &str) -> Result<()> {
    let module = wat::parse_str(text)?;
    RawSection {
        id: wasm_encoder::ComponentSectionId::CoreModule.into(),
        data: &module,
    }
    .append_to_component(component);
    Ok(())
}

/// How many there are of what an appended part refers to.
struct Counts {
    modules: u32,
    instances: u32,
    functions: u32,
    types: u32,
}

impl Counts {
    fn of(component: &[u8]) -> Result<Self> {
        debug_assert!(component.starts_with(&Component::HEADER));
        let types = Validator::new().validate_all(component)?;
        let types = types.as_ref();
        Ok(Self {
            modules: modules(component)?,
            instances: types.core_instance_count(),
            functions: types.function_count(),
            types: types.component_type_count(),
        })
    }
}

/// The core modules at the top level.
fn modules(component: &[u8]) -> Result<u32> {
    let (mut depth, mut modules) = (0u32, 0);
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } => {
                modules += u32::from(depth == 0);
                depth += 1;
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(modules)
}
