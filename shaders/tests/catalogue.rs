//! The list of all shaders.

use std::collections::BTreeSet;

use narrows_shaders::ALL;

#[test]
fn no_shader_and_no_name_stands_twice() {
    let (mut names, mut sources) = (BTreeSet::new(), BTreeSet::new());
    for shader in ALL {
        assert!(names.insert(shader.name), "{} stands twice", shader.name);
        assert!(sources.insert(shader.source), "{} has another's source", shader.name);
        let entries: BTreeSet<_> = shader.entries.iter().map(|entry| entry.name).collect();
        assert_eq!(entries.len(), shader.entries.len(), "{} has an entry twice", shader.name);
    }
}
