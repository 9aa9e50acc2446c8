package iconiksim

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"sync"
)

// posters are all there are, by number. Each is drawn once: hundreds of tests in a process transcode a dozen files each.
var posters [64]struct {
	once sync.Once
	jpeg []byte
}

// poster returns a picture of a file: stripes in one of 64 colors.
func poster(of string) []byte {
	h := fnv.New32a()
	_, _ = h.Write([]byte(of))
	sum := h.Sum32() % uint32(len(posters))
	p := &posters[sum]
	p.once.Do(func() { p.jpeg = stripes(uint8(sum&3)*64+32, uint8(sum>>2&3)*64+32, uint8(sum>>4&3)*64+32) })
	return bytes.Clone(p.jpeg)
}

func stripes(red, green, blue uint8) []byte {
	const width, height, stripe = 320, 180, 40
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for x := range width {
		shade := uint8(x / stripe * 20)
		c := color.RGBA{R: red/2 + shade, G: green/2 + shade, B: blue/2 + shade, A: 255}
		for y := range height {
			picture.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture, nil)
	return b.Bytes()
}
