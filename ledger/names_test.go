package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var oddNames = []string{"nul\x00here", "bad\xff\xfebytes", "a mark ␛ and ␛00", "␛", "␛␛", "\x00", "naïve ☃ 𝄞", `back\u0000slash`, "trailing\xe2\x90"}

func TestBothDatabasesTakeEveryName(t *testing.T) {
	each(t, func(t *testing.T, l *Ledger, tenant string) {
		ctx := t.Context()
		begin(t, l, tenant)
		scan, err := l.Tenant(tenant).Archive(project).BeginScan(ctx)
		require.NoError(t, err)
		require.NoError(t, l.Tenant(tenant).Archive(project).PutFolders(ctx, []Folder{{SourceID: "root", Scan: scan}}))
		var folders []Folder
		var items []Item
		for i, name := range oddNames {
			id := string(rune('a' + i))
			folders = append(folders, Folder{SourceID: id, ParentID: "root", Name: name, Path: name, Depth: 1, Scan: scan})
			items = append(items, Item{SourceID: id, AssetKey: id, FolderID: id, Version: 1, Versions: 1, Name: name, Path: name + "/" + name, Scan: scan})
		}
		require.NoError(t, l.Tenant(tenant).Archive(project).PageListed(ctx, "root", scan, "", folders, items, true))
		require.NoError(t, l.Tenant(tenant).Archive(project).FinishScan(ctx, scan))
		read, _, err := l.Tenant(tenant).Archive(project).Folders(ctx, "0~z", 100)
		require.NoError(t, err)
		require.Len(t, read, len(oddNames))
		for i, f := range read {
			assert.Equal(t, oddNames[i], f.Name, "%q", f.Name)
			it, ok, err := l.Tenant(tenant).Archive(project).Item(ctx, f.SourceID)
			require.NoError(t, err)
			require.True(t, ok)
			if name := oddNames[i]; name == "nul\x00here" || name == `back\u0000slash` || name[0] == 0xe2 {
				assert.Equal(t, name, it.Name)
			}
			require.NoError(t, l.Tenant(tenant).Archive(project).FolderGone(ctx, f.SourceID))
		}
		for _, name := range oddNames {
			_, first, err := l.Tenant(tenant).Intend(ctx, Link{Kind: LinkReference, SourceID: name, Archive: project})
			require.NoError(t, err)
			assert.True(t, first, "%q", name)
			k, ok, err := l.Tenant(tenant).Link(ctx, LinkReference, name)
			require.NoError(t, err)
			require.True(t, ok)
			assert.Equal(t, name, k.SourceID)
			_, err = l.Tenant(tenant).Archive(project).Update(ctx, func(a *Archive) { a.Name, a.Reason = name, name })
			require.NoError(t, err)
		}
		_, _, err = l.Tenant(tenant).Archive(project).Get(ctx)
		require.NoError(t, err)
	})
}
