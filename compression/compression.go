// Package compression lets a program compress certificates with brotli and zstd: see RFC 8879.
//
//	import _ "github.com/vitrine-tls/vitrine/compression"
//
// Afterwards Config.CertificateCompression may name them, and an observer reads them. zlib is there
// without it. The algorithms come from github.com/andybalholm/brotli and
// github.com/klauspost/compress, which a program that does not import this package does not
// contain. It is part of Vitrine's API.
package compression

import (
	"bytes"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/vitrine-tls/vitrine/iana"
	"github.com/vitrine-tls/vitrine/internal/compress"
)

func init() {
	compress.Register(iana.Brotli, compress.Codec{Pack: packBrotli, Expand: expandBrotli})
	compress.Register(iana.Zstd, compress.Codec{Pack: packZstd, Expand: expandZstd})
}

// brotliLevel costs about as much as zlib's default. The highest level costs ten times that, and
// saves 3 % more.
const brotliLevel = 6

func packBrotli(b []byte) ([]byte, error) {
	var packed bytes.Buffer
	w := brotli.NewWriterLevel(&packed, brotliLevel)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

func expandBrotli(packed []byte, n int) ([]byte, error) {
	r := brotli.NewReader(bytes.NewReader(narrow(packed)))
	return io.ReadAll(io.LimitReader(r, int64(n)+1))
}

// narrow returns a brotli stream with the same content that needs a window of at most 256 KiB. The
// decoder's memory is as large as the smaller of the window and what a block claims to hold: a peer
// could make it 16 MiB with a few bytes. As long as no more than compress.MaxLen bytes came out, a
// distance means the same in every window that is longer. A window of 2^18 bytes or more stands in
// the first four bits of a stream. See RFC 7932 §9.1.
func narrow(packed []byte) []byte {
	if len(packed) == 0 || packed[0]&1 == 0 || packed[0]&0x0E == 0 {
		return packed
	}
	narrowed := bytes.Clone(packed)
	narrowed[0] = packed[0]&^0x0E | 0x02
	return narrowed
}

var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithLowerEncoderMem(true))
})

func packZstd(b []byte) ([]byte, error) {
	e, err := zstdEncoder()
	if err != nil {
		return nil, err
	}
	return e.EncodeAll(b, nil), nil
}

// zstdDecoder decodes into the room that it is given, so that its window costs nothing.
var zstdDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(compress.MaxLen+1))
	if err != nil {
		panic(err) // the options are the same in every program
	}
	return d
})

func expandZstd(packed []byte, n int) ([]byte, error) {
	return zstdDecoder().DecodeAll(packed, make([]byte, 0, n))
}
