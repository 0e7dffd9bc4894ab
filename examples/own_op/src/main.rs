//! narrows' command line with a vector-quantised autoencoder.

use std::process::ExitCode;

use narrows::model::Registry;
use own_op::VectorQuantised;

fn main() -> ExitCode {
    narrows::cli::run(Registry::built_in().with(VectorQuantised))
}
