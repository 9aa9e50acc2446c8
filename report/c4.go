package report

import (
	"crypto/sha512"
	"math/big"
	"strings"
)

const (
	c4Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	c4Length = 90
)

// C4 returns a text's C4 ID (SMPTE ST 2114): its SHA-512 in base 58. The chain of an ASC MHL history identifies its lists by it.
func C4(body []byte) string {
	sum := sha512.Sum512(body)
	return c4Of(sum[:])
}

// c4Of returns the C4 ID of a text with this SHA-512.
func c4Of(sum []byte) string {
	n, base, digit := new(big.Int).SetBytes(sum), big.NewInt(int64(len(c4Digits))), new(big.Int)
	var id []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		id = append(id, c4Digits[digit.Int64()])
	}
	for i, j := 0, len(id)-1; i < j; i, j = i+1, j-1 {
		id[i], id[j] = id[j], id[i]
	}
	return "c4" + strings.Repeat(c4Digits[:1], c4Length-2-len(id)) + string(id)
}
