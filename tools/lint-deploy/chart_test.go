// Package lintdeploy has the tests of what is in deploy/. It is a separate module, because Helm, Compose and Kubernetes come as Go
// modules, and the product needs none of them.
package lintdeploy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
)

const (
	root  = "../.."
	chart = root + "/deploy/helm/framebridge"
)

// settings returns the chart's values in all its variants: only what must be set, and the examples under ci.
func settings(t *testing.T) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{"least": {"config": map[string]any{"http": map[string]any{"public_url": "https://bridge.example.com"}}}}
	files, err := filepath.Glob(chart + "/ci/*.yaml")
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, file := range files {
		values, err := common.ReadValuesFile(file)
		require.NoError(t, err, file)
		out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = values
	}
	return out
}

func render(t *testing.T, values map[string]any) (map[string]string, error) {
	t.Helper()
	loaded, err := loader.Load(chart)
	require.NoError(t, err)
	on, err := common.ParseKubeVersion("v1.30.0")
	require.NoError(t, err)
	cluster := *common.DefaultCapabilities
	cluster.KubeVersion = *on
	top, err := util.ToRenderValues(loaded, values, common.ReleaseOptions{Name: "fb", Namespace: "media", IsInstall: true, Revision: 1}, &cluster)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(loaded, top)
}

// objects returns what is rendered, parsed into Kubernetes' own types. An unknown field is an error.
func objects(t *testing.T, values map[string]any) []runtime.Object {
	t.Helper()
	files, err := render(t, values)
	require.NoError(t, err)
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var out []runtime.Object
	for name, text := range files {
		if strings.HasSuffix(name, ".txt") {
			continue
		}
		docs := yaml.NewDocumentDecoder(io.NopCloser(strings.NewReader(text)))
		for {
			raw := make([]byte, 1<<20)
			n, err := docs.Read(raw)
			if err == io.EOF {
				break
			}
			require.NoError(t, err)
			if len(bytes.TrimSpace(raw[:n])) == 0 {
				continue
			}
			o, _, err := decoder.Decode(raw[:n], nil, nil)
			require.NoError(t, err, "%s:\n%s", name, raw[:n])
			out = append(out, o)
		}
	}
	return out
}

func of[T runtime.Object](all []runtime.Object) (found []T) {
	for _, o := range all {
		if t, ok := o.(T); ok {
			found = append(found, t)
		}
	}
	return found
}

func TestTheChartPassesHelmsLinter(t *testing.T) {
	for name, values := range settings(t) {
		result := lint.RunAll(chart, values, "media")
		assert.LessOrEqual(t, result.HighestSeverity, support.InfoSev, "%s: %v", name, result.Messages)
	}
}

func TestWhatTheChartMakesFitsTogether(t *testing.T) {
	for name, values := range settings(t) {
		t.Run(name, func(t *testing.T) {
			all := objects(t, values)
			deployments := of[*appsv1.Deployment](all)
			require.Len(t, deployments, 2)
			configs := of[*corev1.ConfigMap](all)
			require.Len(t, configs, 1)
			selects := func(selector map[string]string) (n int) {
				for _, d := range deployments {
					if labels.SelectorFromSet(selector).Matches(labels.Set(d.Spec.Template.Labels)) {
						n++
					}
				}
				return n
			}
			for _, o := range all {
				meta := o.(metav1.Object)
				assert.Empty(t, validation.IsDNS1123Label(meta.GetName()), meta.GetName())
				assert.Equal(t, "fb", meta.GetLabels()["app.kubernetes.io/instance"], meta.GetName())
				for key, value := range meta.GetLabels() {
					assert.Empty(t, validation.IsQualifiedName(key), key)
					assert.Empty(t, validation.IsValidLabelValue(value), value)
				}
			}
			for _, d := range deployments {
				assert.Equal(t, 1, selects(d.Spec.Selector.MatchLabels), d.Name)
				checkPod(t, d.Spec.Template.Spec, configs[0].Name)
			}
			for _, s := range of[*corev1.Service](all) {
				assert.Equal(t, 1, selects(s.Spec.Selector), s.Name)
			}
			for _, b := range of[*policyv1.PodDisruptionBudget](all) {
				assert.Equal(t, 1, selects(b.Spec.Selector.MatchLabels), b.Name)
			}
			for _, p := range of[*networkingv1.NetworkPolicy](all) {
				assert.Equal(t, 2, selects(p.Spec.PodSelector.MatchLabels), p.Name)
			}
			for _, h := range of[*autoscalingv2.HorizontalPodAutoscaler](all) {
				at := slices.IndexFunc(deployments, func(d *appsv1.Deployment) bool { return d.Name == h.Spec.ScaleTargetRef.Name })
				require.GreaterOrEqual(t, at, 0, h.Spec.ScaleTargetRef.Name)
				assert.Nil(t, deployments[at].Spec.Replicas, "the autoscaler sets them")
			}
			for _, i := range of[*networkingv1.Ingress](all) {
				var paths []string
				for _, p := range i.Spec.Rules[0].HTTP.Paths {
					paths = append(paths, p.Path)
					assert.Equal(t, "http", p.Backend.Service.Port.Name)
				}
				assert.Equal(t, []string{"/api/v1/services/frameio/", "/ui", "/l/"}, paths, "health and metrics stay inside")
			}
		})
	}
}

func checkPod(t *testing.T, pod corev1.PodSpec, config string) {
	t.Helper()
	require.Len(t, pod.Containers, 1)
	c := pod.Containers[0]
	stopping := int64(30)
	if c.Name == "starter" {
		require.NotNil(t, c.Lifecycle, "requests arrive after the end of a pod has begun")
		require.NotNil(t, c.Lifecycle.PreStop.Sleep)
		stopping += c.Lifecycle.PreStop.Sleep.Seconds
	}
	assert.Greater(t, *pod.TerminationGracePeriodSeconds, stopping, "a stop takes up to 30 s")
	assert.True(t, *pod.SecurityContext.RunAsNonRoot)
	assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
	assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
	assert.False(t, *pod.AutomountServiceAccountToken)
	ports := map[int32]bool{}
	for _, p := range c.Ports {
		ports[p.ContainerPort] = true
	}
	for _, probe := range []*corev1.Probe{c.StartupProbe, c.LivenessProbe, c.ReadinessProbe} {
		require.NotNil(t, probe)
		assert.True(t, ports[probe.HTTPGet.Port.IntVal], "%s asks a port that is not served", c.Name)
	}
	assert.Equal(t, "/readyz", c.ReadinessProbe.HTTPGet.Path)
	assert.Equal(t, "/healthz", c.LivenessProbe.HTTPGet.Path, "a Temporal that is away is no reason to kill")
	volumes := map[string]bool{}
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
		if v.Name == "config" {
			assert.Equal(t, config, v.ConfigMap.Name)
		}
	}
	for _, m := range c.VolumeMounts {
		assert.True(t, volumes[m.Name], m.Name)
	}
}

// The programs start with the configuration that the chart writes.
func TestTheChartsConfigurationIsValid(t *testing.T) {
	for name, values := range settings(t) {
		if name == "least" {
			continue // no tenants
		}
		dir := t.TempDir()
		writeCertificate(t, dir)
		file := filepath.Join(dir, "framebridge.yaml")
		text := of[*corev1.ConfigMap](objects(t, values))[0].Data["framebridge.yaml"]
		require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(text, "/etc/framebridge/temporal", dir)), 0o600))
		check := exec.CommandContext(t.Context(), "go", "run", "./starter", "config", "check", "--config", file)
		check.Dir = root
		check.Env = append(os.Environ(), "FRAMEBRIDGE_LEDGER_DSN=postgres://framebridge@db/framebridge", "FRAMEBRIDGE_LEDGER_ENCRYPTION_KEY=a-key-of-16-characters-or-more")
		for _, secret := range []string{"MARKETING_API_KEY", "FRAMEIO_CLIENT_ID", "FRAMEIO_CLIENT_SECRET", "FRAMEIO_TOKEN", "ICONIK_APP", "ICONIK_TOKEN"} {
			check.Env = append(check.Env, secret+"=a-value-of-"+secret)
		}
		out, err := check.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
		assert.NotContains(t, string(out), "warning:", name)
	}
}

// writeCertificate stands in for the mounted secret.
func writeCertificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{"tls.crt": {Type: "CERTIFICATE", Bytes: cert}, "tls.key": {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
}

func TestWrongValuesAreRefused(t *testing.T) {
	for want, values := range map[string]map[string]any{
		"ingress.host":          {},
		"workers":               {"workers": map[string]any{"replicas": 2}},
		"address":               {"temporal": map[string]any{"address": "https://temporal"}},
		"existingSecret":        {"existingSecret": ""},
		"'marketing'":           {"config": map[string]any{"tenants": map[string]any{"marketing": map[string]any{}}}},
		"pullPolicy":            {"image": map[string]any{"pullPolicy": "Sometimes"}},
		"/worker/replicas":      {"worker": map[string]any{"replicas": "two"}},
		"/networkPolicy/egress": {"networkPolicy": map[string]any{"egressPorts": []any{0}}},
	} {
		_, err := render(t, values)
		assert.ErrorContains(t, err, want)
	}
}
