//! Writes every shader for the compilers of other platforms: `narrows-shaders-portability FOLDER`.
//!
//! `FOLDER/shaders.json` has the texts and tables; `FOLDER/spv`, `metal`, `hlsl` and `comp` have each entry point in these
//! languages; `FOLDER/wgsl` has each shader as the standard wants it.

use std::error::Error;
use std::fs;
use std::path::Path;

use narrows_shaders::{ALL, Access};
use narrows_shaders_portability::{Language, translate_all};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("expected a folder to write to")?;
    let folder = Path::new(&folder);
    for language in Language::ALL {
        let place = folder.join(language.suffix());
        fs::create_dir_all(&place)?;
        for translation in translate_all(language)? {
            let (shader, entry) = (translation.shader.name, translation.entry.name);
            let name = format!("{shader}.{entry}.{}.{}", translation.set, language.suffix());
            fs::write(place.join(name), translation.bytes)?;
        }
    }
    let place = folder.join("wgsl");
    fs::create_dir_all(&place)?;
    for shader in ALL {
        fs::write(place.join(format!("{}.wgsl", shader.name)), shader.standard_source().as_ref())?;
    }
    fs::write(folder.join("shaders.json"), serde_json::to_string(&tables())?)?;
    Ok(())
}

fn tables() -> Vec<Value> {
    let access = |access| match access {
        Access::Uniform => "uniform",
        Access::Read => "read",
        Access::ReadWrite => "read_write",
    };
    let of_each = ALL.iter().map(|shader| {
        let entries = shader.entries.iter().map(|entry| {
            let bindings = entry.bindings.iter();
            let bindings = bindings.map(|b| json!({"slot": b.slot, "name": b.name, "access": access(b.access)}));
            json!({"name": entry.name, "bindings": bindings.collect::<Vec<_>>()})
        });
        json!({
            "name": shader.name,
            "source": shader.standard_source(),
            "subgroups": shader.subgroups,
            "overrides": shader.overrides,
            "entries": entries.collect::<Vec<_>>(),
        })
    });
    of_each.collect()
}
