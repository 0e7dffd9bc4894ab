//! Every entry point of every shader, as a driver would see it, in the languages of the platforms.

use naga::back::pipeline_constants::process_overrides;
use naga::back::{PipelineConstants, glsl, hlsl, msl, spv};
use naga::valid::{Capabilities, ModuleInfo, ShaderStages, SubgroupOperationSet, ValidationFlags, Validator};
use naga::{Module, Override, Scalar, ScalarKind, ShaderStage, TypeInner};
use narrows_shaders::{ALL, Entry, Shader};

/// A language that naga writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Vulkan's.
    SpirV,
    /// Metal's.
    Msl,
    /// Direct3D's.
    Hlsl,
    /// OpenGL's on phones, GLSL ES 3.1.
    Glsl,
}

impl Language {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SpirV, Self::Msl, Self::Hlsl, Self::Glsl];

    /// How its files end.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::SpirV => "spv",
            Self::Msl => "metal",
            Self::Hlsl => "hlsl",
            Self::Glsl => "comp",
        }
    }

    // Subgroups are no part of GLSL ES.
    fn has(self, shader: &Shader) -> bool {
        self != Self::Glsl || !shader.subgroups
    }
}

/// An entry point with its constants set, in one language.
pub struct Translation {
    /// Its shader.
    pub shader: &'static Shader,
    /// The entry point.
    pub entry: &'static Entry,
    /// Which set of constants.
    pub set: usize,
    /// The translation.
    pub bytes: Vec<u8>,
}

/// naga's module of a shader, validated.
///
/// # Errors
/// What naga says, with the place.
pub fn validated(shader: &Shader) -> Result<(Module, ModuleInfo), String> {
    let of = |message: String| format!("{}: {message}", shader.name);
    let module =
        naga::front::wgsl::parse_str(shader.source).map_err(|error| of(error.emit_to_string(shader.source)))?;
    let capabilities = if shader.subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(ShaderStages::COMPUTE);
    validator.subgroup_operations(SubgroupOperationSet::all());
    let info = validator.validate(&module).map_err(|error| of(error.emit_to_string(shader.source)))?;
    Ok((module, info))
}

/// Every entry point of every shader that the language can hold, overrides folded and one entry point left. Every flag is tried
/// both ways, every other constant as 1 and as 2.
///
/// # Errors
/// All that could not be translated, a line each.
pub fn translate_all(language: Language) -> Result<Vec<Translation>, String> {
    let (mut done, mut failures) = (Vec::new(), Vec::new());
    for shader in ALL.iter().filter(|shader| language.has(shader)) {
        let (module, info) = validated(shader)?;
        for entry in shader.entries {
            for set in [0, 1] {
                let constants = constants(&module, set as f64);
                let stage = Some((ShaderStage::Compute, entry.name));
                let translated = process_overrides(&module, &info, stage, &constants)
                    .map_err(|error| error.to_string())
                    .and_then(|(module, info)| translate(&module, &info, entry, language));
                match translated {
                    Ok(bytes) => done.push(Translation { shader, entry, set, bytes }),
                    Err(error) => {
                        failures.push(format!("{}::{} with {constants:?}: {error}", shader.name, entry.name));
                    }
                }
            }
        }
    }
    if failures.is_empty() { Ok(done) } else { Err(failures.join("\n")) }
}

fn constants(module: &Module, on: f64) -> PipelineConstants {
    let value = |constant: &Override| match module.types[constant.ty].inner {
        TypeInner::Scalar(Scalar { kind: ScalarKind::Bool, .. }) => on,
        // Whole blocks, side by side.
        _ if constant.name.as_deref() == Some("TILE") => 32.0 * (1.0 + on),
        // An extent, which is never zero, or the number of a case.
        _ => 1.0 + on,
    };
    let named = module.overrides.iter();
    named.filter_map(|(_, constant)| Some((constant.name.clone()?, value(constant)))).collect()
}

fn translate(module: &Module, info: &ModuleInfo, entry: &Entry, language: Language) -> Result<Vec<u8>, String> {
    let stage = ShaderStage::Compute;
    let text = match language {
        Language::SpirV => {
            let options = spv::Options { lang_version: (1, 3), ..Default::default() };
            let only = spv::PipelineOptions { shader_stage: stage, entry_point: entry.name.to_owned() };
            let words = spv::write_vec(module, info, &options, Some(&only)).map_err(|error| error.to_string())?;
            return Ok(words.into_iter().flat_map(u32::to_le_bytes).collect());
        }
        Language::Msl => metal(module, info, entry)?,
        Language::Hlsl => direct3d(module, info, entry)?,
        Language::Glsl => {
            let version = glsl::Version::Embedded { version: 310, is_webgl: false };
            let options = glsl::Options { version, ..Default::default() };
            let only = glsl::PipelineOptions {
                shader_stage: stage,
                entry_point: entry.name.to_owned(),
                multiview: None,
            };
            let mut text = String::new();
            glsl::Writer::new(&mut text, module, info, &options, &only, Default::default())
                .and_then(|mut writer| writer.write())
                .map_err(|error| error.to_string())?;
            text
        }
    };
    Ok(text.into_bytes())
}

fn metal(module: &Module, info: &ModuleInfo, entry: &Entry) -> Result<String, String> {
    let options = msl::Options { lang_version: (2, 4), fake_missing_bindings: true, ..Default::default() };
    let only = msl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, entry.name.to_owned())),
        ..Default::default()
    };
    let (text, translation) =
        msl::write_string(module, info, &options, &only).map_err(|error| error.to_string())?;
    let named = translation.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>();
    let names = named.map_err(|error| error.to_string())?;
    let found = names.iter().any(|name| text.contains(&format!("kernel void {name}(")));
    if found { Ok(text) } else { Err("no kernel in the text".to_owned()) }
}

fn direct3d(module: &Module, info: &ModuleInfo, entry: &Entry) -> Result<String, String> {
    let shader_model = hlsl::ShaderModel::V6_0;
    let options = hlsl::Options { shader_model, fake_missing_bindings: true, ..Default::default() };
    let only = hlsl::PipelineOptions { entry_point: Some((ShaderStage::Compute, entry.name.to_owned())) };
    let mut text = String::new();
    let reflection = hlsl::Writer::new(&mut text, &options, &only)
        .write(module, info, None)
        .map_err(|error| error.to_string())?;
    let named = reflection.entry_point_names.into_iter().collect::<Result<Vec<_>, _>>();
    let names = named.map_err(|error| error.to_string())?;
    let found = names.iter().any(|name| text.contains(&format!("void {name}(")));
    if found { Ok(text) } else { Err("no entry point in the text".to_owned()) }
}
