// Answers cases with Kubernetes' own Go code: JSON lines in, JSON lines out. Run by main.ts, which says what for.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"sigs.k8s.io/yaml"
)

type request struct {
	Op    string
	Input string
	Other string
	Kind  *schema.GroupVersionKind
}

type answer struct {
	Value    json.RawMessage `json:"value,omitempty"`
	Text     *string         `json:"text,omitempty"`
	Protobuf string          `json:"protobuf,omitempty"`
	Problems []string        `json:"problems,omitempty"`
	Error    string          `json:"error,omitempty"`
}

func main() {
	for _, add := range []func(*runtime.Scheme) error{apiextensionsv1.AddToScheme, apiregistrationv1.AddToScheme} {
		if err := add(scheme.Scheme); err != nil {
			panic(err)
		}
	}
	requests := json.NewDecoder(bufio.NewReader(os.Stdin))
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	for {
		var r request
		if requests.Decode(&r) != nil {
			return
		}
		a, err := handle(r)
		if err != nil {
			a = answer{Error: err.Error()}
		}
		if err := answers.Encode(a); err != nil {
			panic(err)
		}
	}
}

func text(s string) answer { return answer{Text: &s} }

func handle(r request) (answer, error) {
	switch r.Op {
	case "quantity":
		q, err := resource.ParseQuantity(r.Input)
		return text(q.String()), err
	case "yaml":
		value, err := yaml.YAMLToJSON([]byte(r.Input))
		a := answer{Value: value}
		if _, strict := yaml.YAMLToJSONStrict([]byte(r.Input)); strict != nil {
			a.Problems = []string{strict.Error()}
		}
		return a, err
	case "labels":
		s, err := labels.Parse(r.Input)
		if err != nil {
			return answer{}, err
		}
		var set labels.Set
		if err := json.Unmarshal([]byte(r.Other), &set); err != nil {
			return answer{}, err
		}
		a := text(s.String())
		a.Value = json.RawMessage(fmt.Sprint(s.Matches(set)))
		return a, nil
	case "fields":
		s, err := fields.ParseSelector(r.Input)
		if err != nil {
			return answer{}, err
		}
		return text(s.String()), nil
	case "strategic":
		object, err := scheme.Scheme.New(*r.Kind)
		if err != nil {
			return answer{}, err
		}
		value, err := strategicpatch.StrategicMergePatch([]byte(r.Input), []byte(r.Other), object)
		return answer{Value: value}, err
	case "merge":
		value, err := jsonpatch.MergePatch([]byte(r.Input), []byte(r.Other))
		return answer{Value: value}, err
	case "patch":
		patch, err := jsonpatch.DecodePatch([]byte(r.Other))
		if err != nil {
			return answer{}, err
		}
		value, err := patch.Apply([]byte(r.Input))
		return answer{Value: value}, err
	case "object":
		return object(r.Input)
	}
	return answer{}, fmt.Errorf("unknown op %q", r.Op)
}

// Decodes strictly into the Go type; the answer is what its encodings say.
func object(input string) (answer, error) {
	serializer := kjson.NewSerializerWithOptions(kjson.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, kjson.SerializerOptions{Strict: true})
	decoded, _, err := serializer.Decode([]byte(input), nil, nil)
	var a answer
	if strict, ok := runtime.AsStrictDecodingError(err); ok {
		for _, problem := range strict.Errors() {
			a.Problems = append(a.Problems, problem.Error())
		}
	} else if err != nil {
		return answer{}, err
	}
	if a.Value, err = json.Marshal(decoded); err != nil {
		return answer{}, err
	}
	bytes, err := runtime.Encode(protobuf.NewSerializer(scheme.Scheme, scheme.Scheme), decoded)
	a.Protobuf = base64.StdEncoding.EncodeToString(bytes)
	return a, err
}
