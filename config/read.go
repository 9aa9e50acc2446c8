package config

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

const (
	envPrefix = "FRAMEBRIDGE"
	tenantDir = "tenants.d" // next to the file
	deepest   = 32          // levels of nesting; aliases could nest without end
)

// ErrNoFile means that there is no configuration file.
var ErrNoFile = errors.New("no configuration")

// number is a number as written in the file: 0123 must not become 83.
type number string

// document is a configuration before decoding: texts, numbers, bools, lists and maps, and where each came from.
type document struct {
	tree   map[string]any
	origin map[string]string // by key
	dir    string            // paths are relative to it
	named  []string          // files that values come from
	p      *Problems

	variables []string // environment variables that values come from by ${NAME}
}

// readDocument reads the file, the tenants next to it and the environment, and fills in the defaults.
func readDocument(path string) (*document, error) {
	d := &document{origin: map[string]string{}, dir: filepath.Dir(path), p: &Problems{Path: path, unread: map[string]bool{}}}
	var err error
	if d.tree, err = d.readFile(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w at %s: write one with `starter config init`, or name it with --config", ErrNoFile, path)
	} else if err != nil {
		d.p.add(filepath.Base(path), "%v", err)
		return nil, d.p
	}
	d.readTenantFiles()
	d.tenantsFromEnvironment()
	d.fromEnvironment()
	d.withDefaults()
	d.resolve(d.tree, "")
	d.unknownVariables()
	return d, nil
}

// quoted matches a value as YAML's errors show it, which may be a secret.
var quoted = regexp.MustCompile("`[^`]*`")

func (d *document) readFile(path string) (map[string]any, error) {
	var tree any
	err := readText(path, func(text io.Reader) (err error) {
		if tree, err = d.parse(text, filepath.Base(path), ""); err != nil {
			return errors.New(quoted.ReplaceAllString(err.Error(), "a value"))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out, ok := tree.(map[string]any)
	if !ok && tree != nil {
		return nil, errors.New("must contain keys with values")
	}
	if out == nil {
		out = map[string]any{}
	}
	return out, nil
}

// parse parses the YAML at a key.
func (d *document) parse(r io.Reader, name, key string) (any, error) {
	dec := yaml.NewDecoder(r)
	var root, more yaml.Node
	if err := dec.Decode(&root); errors.Is(err, io.EOF) {
		return nil, nil //nolint:nilnil // an empty file
	} else if err != nil {
		return nil, err
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, errors.New("contains more than one document")
	}
	return d.convert(&root, key, name, 0)
}

// convert converts YAML nodes to plain values, and records where each one is.
func (d *document) convert(n *yaml.Node, key, file string, depth int) (any, error) {
	if depth > deepest {
		return nil, fmt.Errorf("line %d: nested too deeply", n.Line)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return d.convert(n.Content[0], key, file, depth+1)
	case yaml.AliasNode:
		return d.convert(n.Alias, key, file, depth+1)
	case yaml.MappingNode:
		return d.convertMap(n, key, file, depth)
	case yaml.SequenceNode:
		d.origin[key] = file + ":" + strconv.Itoa(n.Line)
		out := []any{}
		for i, child := range n.Content {
			v, err := d.convert(child, join(key, strconv.Itoa(i)), file, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	d.origin[key] = file + ":" + strconv.Itoa(n.Line)
	switch n.ShortTag() {
	case "!!null":
		return nil, nil //nolint:nilnil // as if the key were not there
	case "!!bool":
		return strings.EqualFold(n.Value, "true"), nil
	case "!!int", "!!float":
		return number(n.Value), nil
	case "!!binary":
		raw, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(n.Value), ""))
		if err != nil || !utf8.Valid(raw) {
			return nil, fmt.Errorf("line %d: what is marked !!binary must be text in base64", n.Line)
		}
		return string(raw), nil
	case "!!str", "!!timestamp":
		return n.Value, nil
	}
	return nil, fmt.Errorf("line %d: a value has an unknown tag", n.Line)
}

func (d *document) convertMap(n *yaml.Node, key, file string, depth int) (any, error) {
	out, line := map[string]any{}, map[string]int{}
	var merged []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if k.ShortTag() == "!!merge" {
			merged = append(merged, v)
			continue
		}
		name := k.Value
		if !isFree(key) {
			name = strings.ToLower(name)
		}
		at := join(key, name)
		if first, twice := line[name]; twice {
			d.p.add(at, "appears twice, in lines %d and %d of %s", first, k.Line, file)
		}
		line[name] = k.Line
		value, err := d.convert(v, at, file, depth+1)
		if err != nil {
			return nil, err
		}
		out[name] = value
	}
	for _, m := range merged {
		value, err := d.convert(m, key, file, depth+1)
		if err != nil {
			return nil, err
		}
		from, _ := value.(map[string]any)
		for name, v := range from {
			if _, own := out[name]; !own {
				out[name] = v
			}
		}
	}
	return out, nil
}

// isFree reports whether a key holds a map whose keys are chosen by the user.
func isFree(key string) bool {
	for free := range freeKeys {
		if key == free || strings.HasSuffix(key, "."+free) {
			return true
		}
	}
	return false
}

func join(key, name string) string { return strings.TrimPrefix(key+"."+name, ".") }

// readTenantFiles adds the tenants that have their own files. Each file contains tenants under their IDs, with or without a
// tenants key above them.
func (d *document) readTenantFiles() {
	others, _ := filepath.Glob(filepath.Join(d.dir, tenantDir, "*.yml"))
	for _, file := range others {
		d.p.warn(filepath.Join(tenantDir, filepath.Base(file)), "is not read: only *.yaml is")
	}
	files, _ := filepath.Glob(filepath.Join(d.dir, tenantDir, "*.yaml"))
	slices.Sort(files)
	for _, file := range files {
		name := filepath.Join(tenantDir, filepath.Base(file))
		part := &document{origin: map[string]string{}, p: d.p}
		tree, err := part.readFile(file)
		if err != nil {
			d.p.add(name, "%v", err)
			continue
		}
		prefix := ""
		if inner, ok := tree["tenants"].(map[string]any); ok && len(tree) == 1 {
			tree = inner
		} else {
			prefix = "tenants."
		}
		d.addTenants(name, tree)
		for key, at := range part.origin {
			if _, have := d.origin[prefix+key]; !have {
				d.origin[prefix+key] = filepath.Join(tenantDir, at)
			}
		}
	}
}

func (d *document) addTenants(file string, tree map[string]any) {
	if d.tree["tenants"] == nil {
		d.tree["tenants"] = map[string]any{}
	}
	have, ok := d.tree["tenants"].(map[string]any)
	if !ok {
		return // reported during decoding
	}
	for id, tenant := range tree {
		switch _, twice := have[id]; {
		case !uuidForm.MatchString(id):
			d.p.add(file+": "+id, "may contain only tenants, each under its UUID")
		case twice:
			d.p.add("tenants."+id, "appears twice: here and in %s", file)
		default:
			have[id] = tenant
		}
	}
}

var tenantVariable = regexp.MustCompile(`^` + envPrefix + `_TENANTS_([0-9A-F]{8}(?:_[0-9A-F]{4}){3}_[0-9A-F]{12})_`)

// tenantsFromEnvironment adds the tenants that only the environment mentions.
func (d *document) tenantsFromEnvironment() {
	for _, variable := range os.Environ() {
		m := tenantVariable.FindStringSubmatch(variable)
		if m == nil {
			continue
		}
		if d.tree["tenants"] == nil {
			d.tree["tenants"] = map[string]any{}
		}
		id := strings.ToLower(strings.ReplaceAll(m[1], "_", "-"))
		if tenants, ok := d.tree["tenants"].(map[string]any); ok && tenants[id] == nil {
			tenants[id] = map[string]any{}
		}
	}
}

// unknownVariables rejects a tenant's variables that match no key. Others with our prefix may belong to anybody.
func (d *document) unknownVariables() {
	var known []string
	d.everyKey(func(key string, _ KeyDoc) { known = append(known, envName(key)) })
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !tenantVariable.MatchString(variable) || slices.Contains(known, name) || slices.Contains(d.variables, name) {
			continue
		}
		d.p.add("environment "+name, "unknown key%s", didYouMean(name, known))
	}
}

// everyKey calls do with every key, and with a tenant's keys once per tenant.
func (d *document) everyKey(do func(key string, doc KeyDoc)) {
	tenants, _ := d.tree["tenants"].(map[string]any)
	for _, k := range Keys() {
		rest, ofTenant := strings.CutPrefix(k.Key, tenantPrefix)
		if !ofTenant {
			do(k.Key, k)
			continue
		}
		for id, tenant := range tenants {
			if tenant == nil {
				tenants[id] = map[string]any{}
			}
			do("tenants."+id+"."+rest, k)
		}
	}
}

// put sets a key and creates the maps above it. It returns false if a value of another kind is there or, unless over is set, if
// the key has a value.
func (d *document) put(key string, value any, over bool) bool {
	node, path := d.tree, strings.Split(key, ".")
	for ; len(path) > 1; path = path[1:] {
		next := node[path[0]]
		if next == nil || over && isSwitch(next) {
			next = map[string]any{}
			node[path[0]] = next
		}
		child, ok := next.(map[string]any)
		if !ok {
			return false // the wrong kind: reported during decoding
		}
		node = child
	}
	if !over && node[path[0]] != nil {
		return false
	}
	node[path[0]] = value
	return true
}

// isSwitch reports whether a value is true, false or empty. temporal.tls may be one of these or contain keys.
func isSwitch(value any) bool {
	text := fmt.Sprint(value)
	return text == "" || text == "true" || text == "false"
}

// fromEnvironment lets FRAMEBRIDGE_… variables override the file. Lists and maps are written as in YAML.
func (d *document) fromEnvironment() {
	env := environment()
	d.everyKey(func(key string, doc KeyDoc) {
		name := envName(key)
		_ = env.BindEnv(key, name) // fails only without a key
		text, ok := env.Get(key).(string)
		if !ok {
			return
		}
		text = trimmed(text)
		var value any = text
		switch {
		case strings.HasPrefix(text, "[") && takesSecrets(key):
			value = d.secretList(key, name, text)
		case strings.HasPrefix(text, "{") && doc.Default == "{}", strings.HasPrefix(text, "[") && doc.Default == "[]":
			parsed, err := d.parse(strings.NewReader(text), "environment", key)
			_, list := parsed.([]any)
			_, table := parsed.(map[string]any)
			if err == nil && (list || table) {
				value = parsed
			}
		}
		if d.put(key, value, true) {
			d.origin[key] = "environment " + name
		}
	})
}

// secretList parses a list of secrets, which must be quoted: without quotes, text in brackets may just as well be one secret.
func (d *document) secretList(key, name, text string) any {
	var list []string
	if json.Unmarshal([]byte(text), &list) == nil {
		out := make([]any, len(list))
		for i, s := range list {
			out[i] = s
		}
		return out
	}
	if inner, closed := strings.CutSuffix(text, "]"); closed && strings.Contains(inner, ",") {
		d.p.refuse(key, `may be a list or one secret in brackets: in %s, write a list with quotes (["first", "second"])`, name)
	}
	return text
}

func envName(key string) string {
	return envPrefix + "_" + strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(key))
}

// withDefaults fills in the defaults of keys that are not set.
func (d *document) withDefaults() {
	d.everyKey(func(key string, doc KeyDoc) {
		var value any = doc.Default
		switch doc.Default {
		case "[]":
			value = []any{}
		case "{}":
			value = map[string]any{}
		}
		if d.put(key, value, false) {
			d.origin[key] = "default"
		}
	})
}

var (
	reference = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)
	embedded  = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_]*\}`)
)

// resolve replaces ${NAME} and file:PATH. Paths are relative to the configuration file.
func (d *document) resolve(node any, key string) any {
	switch n := node.(type) {
	case map[string]any:
		for k, v := range n {
			n[k] = d.resolve(v, join(key, k))
		}
	case []any:
		for i, v := range n {
			n[i] = d.resolve(v, join(key, strconv.Itoa(i)))
		}
	case string:
		if m := reference.FindStringSubmatch(n); m != nil {
			value := trimmed(os.Getenv(m[1]))
			if value == "" {
				d.p.refuse(key, "the environment variable %s is not set", m[1])
			}
			d.origin[key] += ", from the environment variable " + m[1]
			d.variables = append(d.variables, m[1])
			return value
		}
		if embedded.MatchString(n) && !strings.HasPrefix(d.origin[key], "environment ") { // a variable's text was already expanded by whoever set it
			d.p.refuse(key, "contains a reference to the environment among other text: ${NAME} can only stand for the whole value")
			return ""
		}
		if path, ok := strings.CutPrefix(n, "file:"); ok {
			d.named = append(d.named, d.path(path))
			raw, err := os.ReadFile(d.path(path)) //nolint:gosec // the operator says which
			if err != nil {
				d.p.refuse(key, "cannot read the file named here: %v", err)
				return ""
			}
			d.origin[key] += ", from the file " + path
			return trimmed(string(raw))
		}
	}
	return node
}

func (d *document) path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(d.dir, path)
}

// trimmed removes what editors, echo and Windows leave around a value: a byte order mark, and line breaks at the end.
func trimmed(text string) string {
	return strings.TrimRight(strings.TrimPrefix(text, "\uFEFF"), "\r\n")
}
