package widemd5

import (
	"crypto/md5"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSameAsTheStandardLibrary takes random streams of random lengths in random rounds.
func TestSameAsTheStandardLibrary(t *testing.T) {
	for _, v := range variants() {
		t.Run(v, func(t *testing.T) {
			defer choose(v)()
			randomStreams(t)
		})
	}
}

func randomStreams(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := rand.NewChaCha8([32]byte{7})
	for range 400 {
		n := 1 + r.IntN(Lanes+4)
		streams, whole, at := make([]*Digest, n), make([][]byte, n), make([]int, n)
		for i := range streams {
			streams[i], whole[i] = New(), make([]byte, r.IntN(40_000))
			_, _ = random.Read(whole[i])
		}
		for {
			var who []*Digest
			var from [][]byte
			size := (1 + r.IntN(20)) * BlockSize
			for i, d := range streams {
				if len(whole[i])-at[i] >= size && r.IntN(4) > 0 {
					who, from = append(who, d), append(from, whole[i][at[i]:at[i]+size])
					at[i] += size
				}
			}
			if len(who) == 0 {
				break
			}
			Blocks(who, from)
		}
		for i, d := range streams {
			want := md5.Sum(whole[i])
			require.Equal(t, want, d.Sum(whole[i][at[i]:]), "stream %d of %d, %d bytes, %d in rounds", i, n, len(whole[i]), at[i])
			require.Equal(t, want, d.Sum(whole[i][at[i]:]), "a sum changes nothing")
		}
	}
}

func TestTheAssemblyIsAsGenerated(t *testing.T) {
	made, err := exec.Command("go", "run", "./gen").Output()
	require.NoError(t, err)
	have, err := os.ReadFile("blocks_amd64.s")
	require.NoError(t, err)
	require.Equal(t, string(have), string(made), "go generate")
}

func TestLongRounds(t *testing.T) {
	b := make([]byte, 3*atOnce+BlockSize)
	_, _ = rand.NewChaCha8([32]byte{3}).Read(b)
	streams := []*Digest{New(), New(), New()}
	Blocks(streams, [][]byte{b, b, b})
	for _, d := range streams {
		require.Equal(t, md5.Sum(b), d.Sum(nil))
	}
}

// BenchmarkMD5 compares the time for several streams together with the standard library's for the same bytes.
func BenchmarkMD5(b *testing.B) {
	const size = 4 << 20
	for _, n := range []int{1, 2, 4, 8} {
		from := make([][]byte, n)
		for i := range from {
			from[i] = make([]byte, size)
		}
		b.Run(fmt.Sprintf("standard/%d", n), func(b *testing.B) {
			b.SetBytes(int64(n) * size)
			for b.Loop() {
				for _, f := range from {
					md5.Sum(f)
				}
			}
		})
		b.Run(fmt.Sprintf("wide/%d", n), func(b *testing.B) {
			b.SetBytes(int64(n) * size)
			streams := make([]*Digest, n)
			for i := range streams {
				streams[i] = New()
			}
			for b.Loop() {
				Blocks(streams, from)
			}
		})
	}
}
