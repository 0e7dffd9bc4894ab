//! The command `narrows`, over the built-in variants.

fn main() -> std::process::ExitCode {
    narrows::cli::run(narrows::model::Registry::built_in())
}
