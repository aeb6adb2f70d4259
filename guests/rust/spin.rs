// Guest of the Spin ABI in Rust: shows the request; `/echo` answers its body, `/panic` panics.

mod spin_abi;

use spin_abi::{Request, Response};

fn handle(request: Request) -> Response {
    let body = match request.uri {
        "/echo" => request.body.unwrap_or_default().to_vec(),
        "/panic" => panic!("told to panic"),
        _ => show(&request).into_bytes(),
    };
    Response {
        status: 200,
        headers: vec![
            ("content-type".to_owned(), "text/plain".to_owned()),
            ("x-guest".to_owned(), "rust-spin".to_owned()),
        ],
        body: Some(body),
    }
}

fn show(request: &Request) -> String {
    let headers: Vec<String> =
        request.headers.iter().map(|(name, value)| format!("header {}: {}\n", name, value)).collect();
    let body = request.body.map_or(String::new(), |body| format!("body {}\n", body.len()));
    format!("method {} {}\n{}{}", request.method, request.uri, headers.concat(), body)
}
