//! The README's table against the catalogue.

const README: &str = include_str!("../README.md");

#[test]
fn the_readme_lists_every_shader_with_its_entry_points_and_overrides() {
    for shader in narrows_shaders::ALL {
        let name = format!("| `{}` |", shader.name);
        let line = README.lines().find(|line| line.starts_with(&name));
        let line = line.unwrap_or_else(|| panic!("no line for {}", shader.name));
        if line.contains("| the same |") || line.contains("| as `matmul_tile` |") {
            continue;
        }
        let entries = shader.entries.iter().map(|entry| entry.name);
        for wanted in entries.chain(shader.overrides.iter().copied()) {
            assert!(line.contains(&format!("`{wanted}`")), "{wanted} is missing of {}", shader.name);
        }
    }
}
