//! Compiling in a process of its own. This test has its own `main`, since the program that compiles is the program
//! that runs: `run_if_child` has to come first, as it does in the server.
//!
//! `compiler measure FILE...` admits components, such as those of language runtimes, and prints what they cost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    dead_code,
    reason = "tests may fail loudly; the helpers are shared with the other tests"
)]

mod bombs;
mod confined;
mod measure;
#[path = "../sandbox/support.rs"]
mod support;

use tenter_sandbox::compile_child::run_if_child;

const TESTS: &[(&str, fn())] = &[
    ("a_component_is_compiled_elsewhere", confined::a_component_is_compiled_elsewhere),
    ("words_of_the_compiler_arrive", confined::words_of_the_compiler_arrive),
    ("the_process_is_confined", confined::the_process_is_confined),
    ("nothing_but_computing_is_possible", confined::nothing_but_computing_is_possible),
    ("nothing_of_the_server_is_passed_on", confined::nothing_of_the_server_is_passed_on),
    ("other_programs_are_no_compilers", confined::other_programs_are_no_compilers),
    ("each_limit_has_its_words", bombs::each_limit_has_its_words),
    ("bombs_end", bombs::bombs_end),
];

fn main() {
    run_if_child();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("tries") => confined::tries(args.into_iter().skip(1)),
        Some("measure") => measure::all(&args[1..]),
        // Tools that list tests find none: there is one, the whole.
        Some("--list") => {}
        filter => {
            let filter = filter.filter(|f| !f.starts_with('-')).unwrap_or("");
            let mut ran = 0;
            for (name, test) in TESTS.iter().filter(|(name, _)| name.contains(filter)) {
                // A panic ends the process with a failure, after its message.
                println!("test {name} ...");
                test();
                ran += 1;
            }
            println!("test result: ok. {ran} passed");
        }
    }
}
