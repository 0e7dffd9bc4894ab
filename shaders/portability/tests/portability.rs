//! Every entry point of every shader, translated to the languages of the other platforms: Metal's and
//! Direct3D's, whose devices are seldom at hand.
#![allow(clippy::panic, missing_docs)]

use naga::back::pipeline_constants::process_overrides;
use naga::back::{PipelineConstants, hlsl, msl};
use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{Module, Override, Scalar, ScalarKind, ShaderStage, TypeInner};
use narrows_shaders::{ALL, Entry, Shader};

fn validated(shader: &Shader) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(shader.source)
        .unwrap_or_else(|error| panic!("{}: {}", shader.name, error.emit_to_string(shader.source)));
    let capabilities = if shader.subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(ShaderStages::COMPUTE);
    validator.subgroup_operations(SubgroupOperationSet::all());
    let info = validator
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", shader.name, error.emit_to_string(shader.source)));
    (module, info)
}

// Each translation sees the module as a driver would: overrides folded, one entry point left. Every flag is
// tried both ways, every other constant as 1 and as 2.
fn each_entry(mut translate: impl FnMut(&Module, &ModuleInfo, &Entry) -> Result<(), String>) {
    let mut failures = Vec::new();
    for shader in ALL {
        let (module, info) = validated(shader);
        for entry in shader.entries {
            for on in [0.0, 1.0] {
                let value = |constant: &Override| match module.types[constant.ty].inner {
                    TypeInner::Scalar(Scalar { kind: ScalarKind::Bool, .. }) => on,
                    // Whole blocks, side by side.
                    _ if constant.name.as_deref() == Some("TILE") => 32.0 * (1.0 + on),
                    // An extent, which is never zero, or the number of a case.
                    _ => 1.0 + on,
                };
                let constants: PipelineConstants = module
                    .overrides
                    .iter()
                    .filter_map(|(_, constant)| Some((constant.name.clone()?, value(constant))))
                    .collect();
                let stage = Some((ShaderStage::Compute, entry.name));
                let outcome = process_overrides(&module, &info, stage, &constants)
                    .map_err(|error| error.to_string())
                    .and_then(|(module, info)| translate(&module, &info, entry));
                if let Err(error) = outcome {
                    failures.push(format!("{}::{} with {constants:?}: {error}", shader.name, entry.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_entry_point_translates_to_metals_language() {
    let options = msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    each_entry(|module, info, entry| {
        let only = msl::PipelineOptions {
            entry_point: Some((ShaderStage::Compute, entry.name.to_owned())),
            ..Default::default()
        };
        let (text, translation) =
            msl::write_string(module, info, &options, &only).map_err(|error| error.to_string())?;
        let named = translation.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>();
        let names = named.map_err(|error| error.to_string())?;
        let found = names.iter().any(|name| text.contains(&format!("kernel void {name}(")));
        found.then_some(()).ok_or_else(|| "no kernel in the text".to_owned())
    });
}

#[test]
fn every_entry_point_translates_to_direct3ds_language() {
    let options = hlsl::Options {
        shader_model: hlsl::ShaderModel::V6_0,
        fake_missing_bindings: true,
        ..Default::default()
    };
    each_entry(|module, info, entry| {
        let only = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, entry.name.to_owned())) };
        let mut text = String::new();
        let reflection = hlsl::Writer::new(&mut text, &options, &only)
            .write(module, info, None)
            .map_err(|error| error.to_string())?;
        let named = reflection.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>();
        let names = named.map_err(|error| error.to_string())?;
        let found = names.iter().any(|name| text.contains(&format!("void {name}(")));
        found.then_some(()).ok_or_else(|| "no entry point in the text".to_owned())
    });
}
