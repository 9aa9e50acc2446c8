package golden

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestEveryFieldIsFilled(t *testing.T) {
	type inner struct {
		A string
		B *int64
	}
	type row struct {
		inner
		Name   string `json:"name,omitempty"`
		Hidden string `json:"-"`
		List   []inner
		Map    map[string]inner
		own    int
	}
	var r row
	fill(reflect.ValueOf(&r).Elem(), "row", nil)
	if r.Name != "a name" || r.Hidden != "" || len(r.List) != 1 || r.List[0].A == "" || *r.List[0].B != 7 || r.Map["a key"].A == "" || r.own != 0 {
		t.Errorf("%+v", r)
	}
}

func TestWhatIsAddedStaysWhatWas(t *testing.T) {
	type one struct{ A, B int }
	file := filepath.Join(t.TempDir(), "rows.json")
	*add = true
	defer func() { *add = false }()
	JSON(t, file, map[string]any{"row": one{}})
	*add = false
	JSON(t, file, map[string]any{"row": one{}})
	got, err := read(file)
	if err != nil || !reflect.DeepEqual(got, map[string]string{"row.A": "7", "row.B": "7"}) {
		t.Errorf("%v %v", got, err)
	}
}
