//! The program `nbe`; everything is in the library.

fn main() -> std::process::ExitCode {
    nbe::cli::main()
}
