// A static file server of the Spin ABI, as Spin's own was: answers the file that `spin-path-info` names.

mod spin_abi;

use spin_abi::{Request, Response};
use std::fs;

fn handle(request: Request) -> Response {
    // Of headers with this name the last is the host's.
    let path = request.headers.iter().rev().find(|(name, _)| *name == "spin-path-info").map_or("", |(_, value)| value);
    match fs::read(path) {
        Ok(bytes) => answer(200, "application/octet-stream", bytes),
        Err(_) => answer(404, "text/plain", b"Not Found\n".to_vec()),
    }
}

fn answer(status: u16, content_type: &str, body: Vec<u8>) -> Response {
    Response { status, headers: vec![("content-type".to_owned(), content_type.to_owned())], body: Some(body) }
}
