package iconiksim

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
)

// poster returns a picture of a file: stripes in its own colors.
func poster(of string) []byte {
	const width, height, stripe = 320, 180, 40
	h := fnv.New32a()
	_, _ = h.Write([]byte(of))
	sum := h.Sum32()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		shade := uint8(x / stripe * 20)
		c := color.RGBA{R: uint8(sum)/2 + shade, G: uint8(sum>>8)/2 + shade, B: uint8(sum>>16)/2 + shade, A: 255}
		for y := range height {
			picture.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture, nil)
	return b.Bytes()
}
