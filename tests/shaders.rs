//! Every shader, reflected with naga: what the tables say of it is what it is.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

use naga::back::PipelineConstants;
use naga::back::pipeline_constants::process_overrides;
use naga::proc::Layouter;
use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, GlobalVariable, Handle, Module, ScalarKind, StorageAccess, TypeInner};
use narrows_shaders::{ALL, Access, Binding, Entry, Shader};

struct Reflection {
    module: Module,
    info: ModuleInfo,
}

fn reflect(shader: &Shader) -> Reflection {
    let module = naga::front::wgsl::parse_str(shader.source)
        .unwrap_or_else(|error| panic!("{}: {}", shader.name, error.emit_to_string(shader.source)));
    // Nothing optional, except subgroups where the table says so.
    let capabilities = if shader.subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
    let mut validator = Validator::new(ValidationFlags::all(), capabilities);
    validator.subgroup_stages(naga::valid::ShaderStages::COMPUTE);
    validator.subgroup_operations(naga::valid::SubgroupOperationSet::all());
    let info = validator
        .validate(&module)
        .unwrap_or_else(|error| panic!("{}: {}", shader.name, error.emit_to_string(shader.source)));
    Reflection { module, info }
}

fn layouter(module: &Module) -> Layouter {
    let mut layouter = Layouter::default();
    layouter.update(module.to_ctx()).unwrap();
    layouter
}

impl Reflection {
    // The bindings that an entry point uses, itself or through what it calls, in ascending order.
    fn bindings(&self, entry: usize) -> Vec<(u32, String, Access)> {
        let uses = self.info.get_entry_point(entry);
        let used = |(handle, _): &(Handle<GlobalVariable>, _)| {
            let used: GlobalUse = uses[*handle];
            !used.is_empty()
        };
        let bound = self.module.global_variables.iter().filter(used).filter_map(|(_, variable)| {
            let binding = variable.binding?;
            assert_eq!(binding.group, 0, "{:?}", variable.name);
            let access = match variable.space {
                AddressSpace::Uniform => Access::Uniform,
                AddressSpace::Storage { access } if access.contains(StorageAccess::STORE) => {
                    Access::ReadWrite
                }
                AddressSpace::Storage { .. } => Access::Read,
                other => panic!("{:?} lies in {other:?}", variable.name),
            };
            Some((binding.binding, variable.name.clone().unwrap_or_default(), access))
        });
        let mut bound: Vec<_> = bound.collect();
        bound.sort_by_key(|(slot, ..)| *slot);
        bound
    }

    // The fields of a struct: name and offset; with its size.
    fn fields(&self, name: &str) -> Option<(Vec<(String, u32)>, u32)> {
        let (_, ty) = self.module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name))?;
        let TypeInner::Struct { members, span } = &ty.inner else { return None };
        let field = |member: &naga::StructMember| (member.name.clone().unwrap_or_default(), member.offset);
        Some((members.iter().map(field).collect(), *span))
    }
}

// Whether the table of `entry` is what the module says. The error names both.
fn check_table(reflection: &Reflection, at: usize, entry: &Entry) -> Result<(), String> {
    let found = reflection.bindings(at);
    let listed: Vec<_> = entry
        .bindings
        .iter()
        .map(|binding| (binding.slot, binding.name.to_owned(), binding.access))
        .collect();
    if found == listed { Ok(()) } else { Err(format!("uses {found:?}, the table lists {listed:?}")) }
}

fn each_entry(mut visit: impl FnMut(&Shader, &Reflection, usize, &Entry)) {
    for shader in ALL {
        let reflection = reflect(shader);
        let entry_points = &reflection.module.entry_points;
        assert_eq!(entry_points.len(), shader.entries.len(), "{}: entry points", shader.name);
        for entry in shader.entries {
            let at = entry_points.iter().position(|found| found.name == entry.name);
            visit(
                shader,
                &reflection,
                at.unwrap_or_else(|| panic!("{} lacks {}", shader.name, entry.name)),
                entry,
            );
        }
    }
}

#[test]
fn every_table_lists_exactly_what_its_entry_point_uses() {
    each_entry(|shader, reflection, at, entry| {
        check_table(reflection, at, entry).unwrap_or_else(|m| panic!("{}::{} {m}", shader.name, entry.name));
    });
}

#[test]
fn a_wrong_table_is_caught() {
    let shader = &narrows_shaders::loss::SHADER;
    let reflection = reflect(shader);
    let right = shader.entries[0].bindings;
    let change = |at: usize, binding: Binding| {
        let mut bindings = right.to_vec();
        bindings[at] = binding;
        bindings
    };
    let swapped = [right[0], right[2], right[1], right[3], right[4]].to_vec();
    let wrong = [
        ("a binding less", right[..4].to_vec()),
        ("a binding more", [right, &[Binding::write(6, "log_variance_gradient")]].concat()),
        ("another slot", change(1, Binding::read(3, "y"))),
        ("another name", change(1, Binding::read(1, "x"))),
        ("another access", change(1, Binding::write(1, "y"))),
        ("another order", swapped),
    ];
    assert_eq!(check_table(&reflection, 0, &shader.entries[0]), Ok(()));
    for (what, bindings) in wrong {
        let entry = Entry { name: shader.entries[0].name, bindings: Vec::leak(bindings) };
        assert!(check_table(&reflection, 0, &entry).is_err(), "{what} is not caught");
    }
}

#[test]
fn bindings_are_params_then_reads_then_writes_and_at_most_eight_buffers() {
    each_entry(|shader, _, _, entry| {
        let what = format!("{}::{}", shader.name, entry.name);
        let rank = |access| match access {
            Access::Uniform => 0,
            Access::Read => 1,
            Access::ReadWrite => 2,
        };
        assert_eq!(entry.bindings[0], Binding::PARAMS, "{what}");
        let ranks: Vec<u32> = entry.bindings.iter().map(|binding| rank(binding.access)).collect();
        assert!(ranks.is_sorted() && ranks[1] > 0, "{what}: {ranks:?}");
        assert!(entry.bindings.is_sorted_by_key(|binding| binding.slot), "{what}");
        let buffers = entry.bindings.iter().filter(|binding| binding.access != Access::Uniform).count();
        assert!(buffers <= 8, "{what} binds {buffers} storage buffers");
    });
}

#[test]
fn overrides_are_the_ones_listed() {
    for shader in ALL {
        let module = reflect(shader).module;
        // The length of an array that follows from others has no name.
        let mut found: Vec<String> =
            module.overrides.iter().filter_map(|(_, value)| value.name.clone()).collect();
        let mut listed = shader.overrides.to_vec();
        found.sort_unstable();
        listed.sort_unstable();
        assert_eq!(found, listed, "{}", shader.name);
        for (_, value) in module.overrides.iter() {
            assert!(value.init.is_some(), "{}: {:?} has no default", shader.name, value.name);
        }
    }
}

// What sizes workgroups and their memory, where the host may set it: each set of values that it sets.
fn sizes(shader: &Shader) -> Vec<PipelineConstants> {
    let set = |tile: f64, halves: f64| {
        PipelineConstants::from_iter([("TILE".to_owned(), tile), ("HALVES".to_owned(), halves)])
    };
    match shader.overrides.contains(&"TILE") {
        true => vec![set(128.0, 2.0), set(64.0, 2.0), set(64.0, 1.0), set(32.0, 1.0)],
        false => vec![PipelineConstants::default()],
    }
}

#[test]
fn workgroups_fit_webgpus_default_limits() {
    each_entry(|shader, reflection, _, entry| {
        for sizes in sizes(shader) {
            let what = format!("{}::{} {sizes:?}", shader.name, entry.name);
            let stage = Some((naga::ShaderStage::Compute, entry.name));
            let (module, _) = process_overrides(&reflection.module, &reflection.info, stage, &sizes).unwrap();
            let size = module.entry_points[0].workgroup_size;
            let invocations: u32 = size.iter().product();
            assert!((1..=256).contains(&invocations), "{what}: {size:?} invocations");
            let layouter = layouter(&module);
            let memory: u32 = (module.global_variables.iter())
                .filter(|(_, variable)| variable.space == AddressSpace::WorkGroup)
                .map(|(_, variable)| layouter[variable.ty].size)
                .sum();
            assert!(memory <= 16 * 1024, "{what}: {memory} bytes of workgroup memory");
        }
    });
}

// One after the other; those of an array's structs too.
fn check_scalars(module: &naga::Module, members: &[naga::StructMember], what: &str) {
    let mut next = 0;
    for member in members {
        let what = format!("{what}.{:?}", member.name);
        assert_eq!(member.offset, next, "{what}");
        next += match module.types[member.ty].inner {
            TypeInner::Scalar(scalar) => {
                assert!(matches!(scalar.kind, ScalarKind::Uint | ScalarKind::Float), "{what}");
                assert_eq!(scalar.width, 4, "{what}");
                4
            }
            TypeInner::Array { base, size: naga::ArraySize::Constant(count), stride } => {
                let TypeInner::Struct { members, span } = &module.types[base].inner else {
                    panic!("{what} is an array of no structs")
                };
                assert_eq!(stride, *span, "{what}");
                check_scalars(module, members, &what);
                count.get() * stride
            }
            ref other => panic!("{what} is {other:?}"),
        };
    }
}

// A vec3 is as long as three numbers and aligned as four: hosts get that wrong.
#[test]
fn what_the_host_writes_is_made_of_four_byte_scalars() {
    for shader in ALL {
        let module = reflect(shader).module;
        for name in ["Params", "State"] {
            let Some((_, ty)) = module.types.iter().find(|(_, ty)| ty.name.as_deref() == Some(name)) else {
                assert_eq!(name, "State", "{}: no Params", shader.name);
                continue;
            };
            let TypeInner::Struct { members, .. } = &ty.inner else { panic!("{name} is no struct") };
            check_scalars(&module, members, &format!("{} {name}", shader.name));
        }
    }
}

#[test]
fn the_state_is_laid_out_as_in_rust() {
    use narrows::kernels::State;
    let offsets = [
        ("seed_low", std::mem::offset_of!(State, seed)),
        ("seed_high", std::mem::offset_of!(State, seed) + 4),
        ("step", std::mem::offset_of!(State, step)),
        ("epoch", std::mem::offset_of!(State, epoch)),
        ("cursor", std::mem::offset_of!(State, cursor)),
    ];
    let in_rust: Vec<(String, u32)> =
        offsets.iter().map(|(name, offset)| ((*name).to_owned(), *offset as u32)).collect();
    let mut seen = 0;
    for shader in ALL {
        if let Some((fields, size)) = reflect(shader).fields("State") {
            assert_eq!((&fields, size as usize), (&in_rust, size_of::<State>()), "{}", shader.name);
            seen += 1;
        }
    }
    assert!(seen >= 5, "only {seen} shaders read the state");
}

#[test]
fn every_shader_says_what_it_computes_and_every_binding_what_it_holds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut seen = 0;
    for folder in [folder.clone(), folder.join("lib")] {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.extension().is_none_or(|extension| extension != "wgsl") {
                continue;
            }
            seen += 1;
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.display();
            assert!(text.starts_with("// "), "{path} does not open with a comment");
            let lines: Vec<&str> = text.lines().collect();
            for pair in lines.windows(2) {
                let binding = pair[1].starts_with("@group") && !pair[1].contains("var<uniform>");
                assert!(!binding || pair[0].starts_with("/// "), "{path}: undocumented: {}", pair[1]);
            }
        }
    }
    assert!(seen >= ALL.len(), "only {seen} files");
}

// A fragment is named where any shader that has the file has the fragment too.
#[test]
fn opening_comments_name_every_fragment_that_a_shader_is_joined_with() {
    let read = |folder: &str| -> Vec<(String, String)> {
        let paths = std::fs::read_dir(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let paths = paths.map(|entry| entry.unwrap().path());
        let wanted = paths.filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
        let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
        wanted.map(|path| (name(&path), std::fs::read_to_string(path).unwrap())).collect()
    };
    let fragments = read("shaders/lib");
    for (file, own) in read("shaders") {
        let opening: String = own.lines().take_while(|line| line.starts_with("//")).collect();
        for (fragment, text) in &fragments {
            let shaders = ALL.iter().filter(|shader| shader.source.contains(&own));
            let joined = shaders.clone().any(|shader| shader.source.contains(text));
            assert_eq!(opening.contains(&format!("lib/{fragment}")), joined, "{file} and lib/{fragment}");
        }
    }
}
