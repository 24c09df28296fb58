// Asks Kubernetes' own code what it makes of CustomResourceDefinitions, of their objects and of their rules.
// Reads one JSON request a line and writes one JSON answer a line:
//
//	{"op":"definition","object":CRD,"old":CRD}          problems and warnings of a create or update of the definition
//	{"op":"resource","schema":{…},"object":…,"old":…}   the object as it is pruned and defaulted, and its problems
//	{"op":"rule","schema":{…},"rule":"…","object":…}    one expression: its compilation, its costs and its value
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apiextensions-apiserver/pkg/registry/customresource"
	crdstrategy "k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/warning"
)

type request struct {
	Op     string          `json:"op"`
	Object json.RawMessage `json:"object"`
	Old    json.RawMessage `json:"old"`
	Schema json.RawMessage `json:"schema"`
	Rule   string          `json:"rule"`
	Status bool            `json:"status"`
}

type problem struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type answer struct {
	Error    string          `json:"error,omitempty"`
	Object   json.RawMessage `json:"object,omitempty"`
	Unknown  []string        `json:"unknown,omitempty"`
	Problems []problem       `json:"problems,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	// Of a rule: what the compiler says, costs in units, and the value (or the error of evaluating it).
	Compile   string `json:"compile,omitempty"`
	Estimated uint64 `json:"estimated,omitempty"`
	Cost      uint64 `json:"cost,omitempty"`
	Value     string `json:"value,omitempty"`
}

var scheme = runtime.NewScheme()

// Keeps warnings for the answer.
type warnings struct{ texts *[]string }

func (w warnings) AddWarning(_, text string) { *w.texts = append(*w.texts, text) }

func problems(list field.ErrorList) []problem {
	var out []problem
	for _, e := range list {
		out = append(out, problem{e.Field, string(e.Type), e.ErrorBody()})
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Field+out[i].Message < out[j].Field+out[j].Message })
	return out
}

func definition(raw []byte) (*apiextensions.CustomResourceDefinition, error) {
	external := &apiextensionsv1.CustomResourceDefinition{}
	if err := json.Unmarshal(raw, external); err != nil {
		return nil, err
	}
	scheme.Default(external)
	internal := &apiextensions.CustomResourceDefinition{}
	return internal, scheme.Convert(external, internal, nil)
}

func structural(raw []byte) (*apiextensions.JSONSchemaProps, *structuralschema.Structural, error) {
	external := &apiextensionsv1.JSONSchemaProps{}
	if err := json.Unmarshal(raw, external); err != nil {
		return nil, nil, err
	}
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(external, internal, nil); err != nil {
		return nil, nil, err
	}
	s, err := structuralschema.NewStructural(internal)
	return internal, s, err
}

func object(raw []byte) (map[string]interface{}, error) {
	var value map[string]interface{}
	return value, utiljson.Unmarshal(raw, &value)
}

func answerDefinition(ctx context.Context, req request) (answer, error) {
	next, err := definition(req.Object)
	if err != nil {
		return answer{}, err
	}
	strategy := crdstrategy.NewStrategy(scheme)
	if len(req.Old) == 0 {
		strategy.PrepareForCreate(ctx, next)
		return answer{Problems: problems(strategy.Validate(ctx, next)), Warnings: strategy.WarningsOnCreate(ctx, next)}, nil
	}
	previous, err := definition(req.Old)
	if err != nil {
		return answer{}, err
	}
	strategy.PrepareForUpdate(ctx, next, previous)
	return answer{Problems: problems(strategy.ValidateUpdate(ctx, next, previous)), Warnings: strategy.WarningsOnUpdate(ctx, next, previous)}, nil
}

func answerResource(ctx context.Context, req request) (answer, error) {
	props, s, err := structural(req.Schema)
	if err != nil {
		return answer{}, err
	}
	validator, _, err := validation.NewSchemaValidator(props)
	if err != nil {
		return answer{}, err
	}
	read := func(raw []byte) (*unstructured.Unstructured, []string, error) {
		value, err := object(raw)
		if err != nil {
			return nil, nil, err
		}
		unknown := pruning.PruneWithOptions(value, s, true, structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
		defaulting.PruneNonNullableNullsWithoutDefaults(value, s)
		wrong, inMetadata := objectmeta.CoerceWithOptions(nil, value, s, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
		if wrong != nil {
			return nil, nil, wrong
		}
		unknown = append(unknown, inMetadata...)
		defaulting.Default(value, s)
		return &unstructured.Unstructured{Object: value}, unknown, nil
	}
	next, unknown, err := read(req.Object)
	if err != nil {
		return answer{}, err
	}
	kind := schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Thing"}
	strategy := customresource.NewStrategy(scheme, true, kind, validator, nil, s, nil, nil, nil)
	var problemsFound field.ErrorList
	if len(req.Old) == 0 {
		problemsFound = strategy.Validate(ctx, next)
	} else {
		previous, _, err := read(req.Old)
		if err != nil {
			return answer{}, err
		}
		problemsFound = strategy.ValidateUpdate(ctx, next, previous)
	}
	kept, err := json.Marshal(next.Object)
	return answer{Object: kept, Unknown: unknown, Problems: problems(problemsFound)}, err
}

func answerRule(ctx context.Context, req request) (answer, error) {
	_, s, err := structural(req.Schema)
	if err != nil {
		return answer{}, err
	}
	s.XValidations = apiextensionsv1.ValidationRules{{Rule: req.Rule}}
	base := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	results, err := cel.Compile(s, model.SchemaDeclType(s, true), celconfig.PerCallLimit, base, cel.NewExpressionsEnvLoader())
	if err != nil {
		return answer{}, err
	}
	result := results[0]
	if result.Error != nil {
		return answer{Compile: result.Error.Detail}, nil
	}
	ans := answer{Estimated: result.MaxCost}
	value, err := object(req.Object)
	if err != nil {
		return answer{}, err
	}
	typed := model.WithTypeAndObjectMeta(s)
	variables := map[string]interface{}{"self": cel.UnstructuredToVal(value, typed)}
	if len(req.Old) > 0 {
		old, err := object(req.Old)
		if err != nil {
			return answer{}, err
		}
		variables["oldSelf"] = cel.UnstructuredToVal(old, typed)
	}
	found, details, err := result.Program.ContextEval(ctx, variables)
	if details != nil && details.ActualCost() != nil {
		ans.Cost = *details.ActualCost()
	}
	if err != nil {
		ans.Value = "error: " + err.Error()
	} else {
		ans.Value = fmt.Sprint(found.Value())
	}
	return ans, nil
}

func handle(req request) (ans answer) {
	defer func() {
		if r := recover(); r != nil {
			ans.Error = fmt.Sprintf("panic: %v", r)
		}
	}()
	var texts []string
	ctx := genericapirequest.WithNamespace(context.Background(), "default")
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{APIGroup: "apiextensions.k8s.io", APIVersion: "v1", IsResourceRequest: true})
	ctx = warning.WithWarningRecorder(ctx, warnings{&texts})
	var err error
	switch req.Op {
	case "definition":
		ans, err = answerDefinition(ctx, req)
	case "resource":
		ans, err = answerResource(ctx, req)
	case "rule":
		ans, err = answerRule(ctx, req)
	default:
		err = fmt.Errorf("unknown op %q", req.Op)
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	ans.Warnings = append(ans.Warnings, texts...)
	// Maps have no order of their own.
	sort.Strings(ans.Warnings)
	sort.Strings(ans.Unknown)
	return ans
}

func main() {
	install.Install(scheme)
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		var req request
		var ans answer
		if err := json.Unmarshal(in.Bytes(), &req); err != nil {
			ans.Error = err.Error()
		} else {
			ans = handle(req)
		}
		line, _ := json.Marshal(ans)
		out.Write(line)
		out.WriteByte('\n')
		out.Flush()
	}
}
