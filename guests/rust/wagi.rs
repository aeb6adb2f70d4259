// Wagi guest of the standard library alone: shows the request, the root directory, and counts words.
//
// `?mode=panic` panics, `?mode=exit` exits with 3.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::{env, fs, process};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}

fn main() -> io::Result<()> {
    let query = variable("QUERY_STRING");
    if query.contains("mode=panic") {
        panic!("told to panic");
    }
    if query.contains("mode=exit") {
        process::exit(3);
    }
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body)?;

    let mut out = io::stdout().lock();
    writeln!(out, "content-type: text/plain\nx-guest: rust-wagi\n")?;
    writeln!(out, "{} {}", variable("REQUEST_METHOD"), variable("PATH_INFO"))?;
    writeln!(out, "args={:?}", env::args().collect::<Vec<_>>())?;
    writeln!(out, "body={} words={}", body.len(), distinct_words(&body))?;
    if let Ok(names) = root_names() {
        writeln!(out, "root={:?}", names)?;
    }
    Ok(())
}

/// A hash map seeds itself with `random_get`, as much real code does.
fn distinct_words(text: &[u8]) -> usize {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for word in String::from_utf8_lossy(text).split_whitespace() {
        *counts.entry(word.to_owned()).or_default() += 1;
    }
    counts.len()
}

fn root_names() -> io::Result<Vec<String>> {
    let mut names = fs::read_dir("/")?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<Vec<_>>>()?;
    names.sort();
    Ok(names)
}
