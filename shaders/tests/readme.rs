//! The README's table against the catalogue.

use std::collections::BTreeSet;

const README: &str = include_str!("../README.md");

/// The cells of the table's row for the shader `name`.
fn cells(name: &str) -> Vec<&'static str> {
    let start = format!("| `{name}` |");
    let row = README.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
    assert_ne!(row, "", "no row for {name}");
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// The names between backticks.
fn names(text: &str) -> BTreeSet<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The overrides in a cell: a list, or "as `SHADER`", "without" those that it lacks, "with" those beside them.
fn overrides(cell: &'static str) -> BTreeSet<&'static str> {
    let Some(rest) = cell.strip_prefix("as ") else { return names(cell) };
    let (rest, added) = rest.split_once(", with ").unwrap_or((rest, ""));
    let (shader, missing) = rest.split_once(", without ").unwrap_or((rest, ""));
    let like = overrides(cells(shader.trim_matches('`'))[4]);
    let missing = names(missing);
    assert!(missing.is_subset(&like), "{cell} lacks what {shader} never had");
    like.difference(&missing).copied().chain(names(added)).collect()
}

#[test]
fn the_readme_lists_every_shader_with_exactly_its_entry_points_and_overrides() {
    for shader in narrows_shaders::ALL {
        let cells = cells(shader.name);
        let entries = shader.entries.iter().map(|entry| entry.name).collect();
        assert_eq!(names(cells[1]), entries, "entry points of {}", shader.name);
        let wanted = shader.overrides.iter().copied().collect();
        assert_eq!(overrides(cells[4]), wanted, "overrides of {}", shader.name);
    }
}
