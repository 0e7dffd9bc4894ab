//! narrows' command line with one variant more.

use std::process::ExitCode;

use narrows::model::Registry;
use own_variant::Spherical;

fn main() -> ExitCode {
    narrows::cli::run(Registry::built_in().with(Spherical))
}
