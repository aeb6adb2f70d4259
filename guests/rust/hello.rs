// The Rust hello of the benchmark: the Spin ABI, one header, nineteen bytes.

mod spin_abi;

use spin_abi::{Request, Response};

fn handle(_request: Request) -> Response {
    Response {
        status: 200,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: Some(b"Hello from Spindle\n".to_vec()),
    }
}
