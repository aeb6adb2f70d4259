// Guest of the Spin ABI in Go: a reactor, whose `_initialize` must be called first. Shows the request.
package main

import (
	"fmt"
	"unsafe"
)

// What the host allocated, by address, so that the collector lets it live.
var kept = map[uintptr][]byte{}

//go:wasmexport canonical_abi_realloc
func canonicalABIRealloc(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	if size == 0 {
		return unsafe.Pointer(uintptr(align))
	}
	block := make([]byte, size+align)
	mask := uintptr(align) - 1
	address := (uintptr(unsafe.Pointer(&block[0])) + mask) &^ mask
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(unsafe.Pointer(address)), size), unsafe.Slice((*byte)(old), oldSize))
		delete(kept, uintptr(old))
	}
	kept[address] = block
	return unsafe.Pointer(address)
}

//go:wasmexport canonical_abi_free
func canonicalABIFree(block unsafe.Pointer, size, align uint32) {
	delete(kept, uintptr(block))
}

// The answer as the host reads it; a tag is one byte, and the three behind it are padding.
type area struct {
	status      uint32
	hasHeaders  uint32
	headers     uint32
	headerCount uint32
	hasBody     uint32
	body        uint32
	bodyLength  uint32
}

var (
	answer      area
	header      [4]uint32
	headerName  = []byte("x-guest")
	headerValue = []byte("go-spin")
	body        []byte
)

func address(bytes []byte) uint32 { return uint32(uintptr(unsafe.Pointer(&bytes[0]))) }

//go:wasmexport handle-http-request
func handleHTTPRequest(
	method uint32,
	uri unsafe.Pointer, uriLength uint32,
	headers unsafe.Pointer, headerCount uint32,
	params unsafe.Pointer, paramCount uint32,
	hasBody uint32, bodyBytes unsafe.Pointer, bodyLength uint32,
) unsafe.Pointer {
	body = fmt.Appendf(nil, "method %d %s\nheaders %d\nparams %d\nbody %d\n",
		method, unsafe.String((*byte)(uri), uriLength), headerCount, paramCount, hasBody*bodyLength)
	header = [4]uint32{address(headerName), uint32(len(headerName)), address(headerValue), uint32(len(headerValue))}
	answer = area{
		status:     200,
		hasHeaders: 1, headers: uint32(uintptr(unsafe.Pointer(&header[0]))), headerCount: 1,
		hasBody: 1, body: address(body), bodyLength: uint32(len(body)),
	}
	return unsafe.Pointer(&answer)
}

func main() {}
