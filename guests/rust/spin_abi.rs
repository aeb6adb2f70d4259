// The second generation of the ABI of Spin 0.4 to 1.5, for guests written in Rust without a crate.
//
// A guest says `mod spin_abi;` and defines `handle`, which the export below calls.

use std::alloc::{alloc, dealloc, handle_alloc_error, realloc, Layout};
use std::{mem, ptr, slice, str};

pub struct Request<'a> {
    pub method: i32,
    pub uri: &'a str,
    pub headers: Vec<(&'a str, &'a str)>,
    pub body: Option<&'a [u8]>,
}

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Option<Vec<u8>>,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct RawText(*mut u8, usize);

/// The answer as the host reads it; a tag is one byte, and the three behind it are padding.
#[repr(C)]
struct Area {
    status: u16,
    has_headers: u32,
    headers: *mut [RawText; 2],
    header_count: usize,
    has_body: u32,
    body: RawText,
}

const NO_TEXT: RawText = RawText(ptr::null_mut(), 0);
static mut AREA: Area =
    Area { status: 0, has_headers: 0, headers: ptr::null_mut(), header_count: 0, has_body: 0, body: NO_TEXT };

#[export_name = "canonical_abi_realloc"]
unsafe extern "C" fn canonical_abi_realloc(
    old: *mut u8,
    old_length: usize,
    align: usize,
    length: usize,
) -> *mut u8 {
    if length == 0 {
        return align as *mut u8;
    }
    let layout = Layout::from_size_align_unchecked(length, align);
    let bytes = if old_length == 0 {
        alloc(layout)
    } else {
        realloc(old, Layout::from_size_align_unchecked(old_length, align), length)
    };
    if bytes.is_null() {
        handle_alloc_error(layout);
    }
    bytes
}

#[export_name = "canonical_abi_free"]
unsafe extern "C" fn canonical_abi_free(bytes: *mut u8, length: usize, align: usize) {
    if length > 0 {
        dealloc(bytes, Layout::from_size_align_unchecked(length, align));
    }
}

unsafe fn borrow<'a>(text: RawText) -> &'a [u8] {
    if text.1 == 0 {
        &[]
    } else {
        slice::from_raw_parts(text.0, text.1)
    }
}

fn give(bytes: Vec<u8>) -> RawText {
    let bytes = mem::ManuallyDrop::new(bytes.into_boxed_slice());
    RawText(bytes.as_ptr() as *mut u8, bytes.len())
}

#[export_name = "handle-http-request"]
unsafe extern "C" fn handle_http_request(
    method: i32,
    uri: *mut u8,
    uri_length: usize,
    headers: *const [RawText; 2],
    header_count: usize,
    _params: *const [RawText; 2],
    _param_count: usize,
    has_body: i32,
    body: *mut u8,
    body_length: usize,
) -> *const Area {
    let headers = if header_count == 0 { &[] } else { slice::from_raw_parts(headers, header_count) };
    let response = crate::handle(Request {
        method,
        uri: str::from_utf8_unchecked(borrow(RawText(uri, uri_length))),
        headers: headers
            .iter()
            .map(|[name, value]| (str::from_utf8_unchecked(borrow(*name)), str::from_utf8_unchecked(borrow(*value))))
            .collect(),
        body: if has_body != 0 { Some(borrow(RawText(body, body_length))) } else { None },
    });
    let pairs = response.headers.into_iter().map(|(name, value)| [give(name.into_bytes()), give(value.into_bytes())]);
    let pairs = mem::ManuallyDrop::new(pairs.collect::<Box<[_]>>());
    AREA = Area {
        status: response.status,
        has_headers: 1,
        headers: pairs.as_ptr() as *mut _,
        header_count: pairs.len(),
        has_body: response.body.is_some() as u32,
        body: give(response.body.unwrap_or_default()),
    };
    ptr::addr_of!(AREA)
}
