// Reads one JSON request a line: {"op":"default|create|update|status|table","object":{...},"old":{...},"wide":true}; writes one JSON answer a line.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	crdinstall "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/install"
	crdstrategy "k8s.io/apiextensions-apiserver/pkg/registry/customresourcedefinition"
	aggregatorinstall "k8s.io/kube-aggregator/pkg/apis/apiregistration/install"
	apiservicestrategy "k8s.io/kube-aggregator/pkg/registry/apiservice"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	_ "k8s.io/kubernetes/pkg/apis/admissionregistration/install"
	_ "k8s.io/kubernetes/pkg/apis/apps/install"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/certificates/install"
	_ "k8s.io/kubernetes/pkg/apis/coordination/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	_ "k8s.io/kubernetes/pkg/apis/discovery/install"
	_ "k8s.io/kubernetes/pkg/apis/events/install"
	_ "k8s.io/kubernetes/pkg/apis/flowcontrol/install"
	_ "k8s.io/kubernetes/pkg/apis/networking/install"
	_ "k8s.io/kubernetes/pkg/apis/node/install"
	_ "k8s.io/kubernetes/pkg/apis/policy/install"
	_ "k8s.io/kubernetes/pkg/apis/rbac/install"
	_ "k8s.io/kubernetes/pkg/apis/resource/install"
	_ "k8s.io/kubernetes/pkg/apis/scheduling/install"
	_ "k8s.io/kubernetes/pkg/apis/storage/install"
	"k8s.io/kubernetes/pkg/capabilities"
	"k8s.io/kubernetes/pkg/printers"
	printersinternal "k8s.io/kubernetes/pkg/printers/internalversion"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingadmissionpolicy"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingadmissionpolicybinding"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/mutatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicy"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingadmissionpolicybinding"
	"k8s.io/kubernetes/pkg/registry/admissionregistration/validatingwebhookconfiguration"
	"k8s.io/kubernetes/pkg/registry/apps/controllerrevision"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/cronjob"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/certificates/certificates"
	"k8s.io/kubernetes/pkg/registry/coordination/lease"
	"k8s.io/kubernetes/pkg/registry/core/configmap"
	"k8s.io/kubernetes/pkg/registry/core/endpoint"
	"k8s.io/kubernetes/pkg/registry/core/event"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	"k8s.io/kubernetes/pkg/registry/core/namespace"
	"k8s.io/kubernetes/pkg/registry/core/node"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolume"
	"k8s.io/kubernetes/pkg/registry/core/persistentvolumeclaim"
	"k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/podtemplate"
	"k8s.io/kubernetes/pkg/registry/core/replicationcontroller"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/core/secret"
	"k8s.io/kubernetes/pkg/registry/core/service"
	"k8s.io/kubernetes/pkg/registry/core/serviceaccount"
	"k8s.io/kubernetes/pkg/registry/discovery/endpointslice"
	"k8s.io/kubernetes/pkg/registry/flowcontrol/flowschema"
	"k8s.io/kubernetes/pkg/registry/flowcontrol/prioritylevelconfiguration"
	"k8s.io/kubernetes/pkg/registry/networking/ingress"
	"k8s.io/kubernetes/pkg/registry/networking/ingressclass"
	"k8s.io/kubernetes/pkg/registry/networking/ipaddress"
	"k8s.io/kubernetes/pkg/registry/networking/networkpolicy"
	"k8s.io/kubernetes/pkg/registry/networking/servicecidr"
	"k8s.io/kubernetes/pkg/registry/node/runtimeclass"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrole"
	"k8s.io/kubernetes/pkg/registry/rbac/clusterrolebinding"
	"k8s.io/kubernetes/pkg/registry/rbac/role"
	"k8s.io/kubernetes/pkg/registry/rbac/rolebinding"
	"k8s.io/kubernetes/pkg/registry/resource/deviceclass"
	"k8s.io/kubernetes/pkg/registry/resource/resourceclaim"
	"k8s.io/kubernetes/pkg/registry/resource/resourceclaimtemplate"
	"k8s.io/kubernetes/pkg/registry/resource/resourceslice"
	"k8s.io/kubernetes/pkg/registry/scheduling/priorityclass"
	"k8s.io/kubernetes/pkg/registry/storage/csidriver"
	"k8s.io/kubernetes/pkg/registry/storage/csinode"
	"k8s.io/kubernetes/pkg/registry/storage/csistoragecapacity"
	"k8s.io/kubernetes/pkg/registry/storage/storageclass"
	"k8s.io/kubernetes/pkg/registry/storage/volumeattachment"
	"k8s.io/kubernetes/pkg/registry/storage/volumeattributesclass"
)

type strategy interface {
	rest.RESTCreateStrategy
}

// Whoever asks may do everything.
var anybody = authorizerfactory.NewAlwaysAllowAuthorizer()

var strategies = map[string][]interface{}{
	"MutatingAdmissionPolicy": {mutatingadmissionpolicy.NewStrategy(nil, nil)},
	"MutatingAdmissionPolicyBinding": {mutatingadmissionpolicybinding.NewStrategy(nil, nil, nil)},
	"MutatingWebhookConfiguration": {mutatingwebhookconfiguration.Strategy},
	"ValidatingAdmissionPolicy": {validatingadmissionpolicy.NewStrategy(nil, nil), validatingadmissionpolicy.NewStatusStrategy(validatingadmissionpolicy.NewStrategy(nil, nil))},
	"ValidatingAdmissionPolicyBinding": {validatingadmissionpolicybinding.NewStrategy(nil, nil, nil)},
	"ValidatingWebhookConfiguration": {validatingwebhookconfiguration.Strategy},
	"ControllerRevision": {controllerrevision.Strategy},
	"DaemonSet": {daemonset.Strategy, daemonset.StatusStrategy},
	"Deployment": {deployment.Strategy, deployment.StatusStrategy},
	"ReplicaSet": {replicaset.Strategy, replicaset.StatusStrategy},
	"StatefulSet": {statefulset.Strategy, statefulset.StatusStrategy},
	"HorizontalPodAutoscaler": {horizontalpodautoscaler.Strategy, horizontalpodautoscaler.StatusStrategy},
	"CronJob": {cronjob.Strategy, cronjob.StatusStrategy},
	"Job": {job.Strategy, job.StatusStrategy},
	"CertificateSigningRequest": {certificates.Strategy, certificates.StatusStrategy, certificates.ApprovalStrategy},
	"Lease": {lease.Strategy},
	"ConfigMap": {configmap.Strategy},
	"Endpoints": {endpoint.Strategy},
	"Event": {event.Strategy},
	"LimitRange": {limitrange.Strategy},
	"Namespace": {namespace.Strategy, namespace.StatusStrategy, namespace.FinalizeStrategy},
	"Node": {node.Strategy, node.StatusStrategy},
	"PersistentVolume": {persistentvolume.Strategy, persistentvolume.StatusStrategy},
	"PersistentVolumeClaim": {persistentvolumeclaim.Strategy, persistentvolumeclaim.StatusStrategy},
	"Pod": {pod.Strategy, pod.StatusStrategy},
	"PodTemplate": {podtemplate.Strategy},
	"ReplicationController": {replicationcontroller.Strategy, replicationcontroller.StatusStrategy},
	"ResourceQuota": {resourcequota.Strategy, resourcequota.StatusStrategy},
	"Secret": {secret.Strategy},
	"Service": {service.Strategy, service.StatusStrategy},
	"ServiceAccount": {serviceaccount.Strategy},
	"EndpointSlice": {endpointslice.Strategy},
	"FlowSchema": {flowschema.Strategy, flowschema.StatusStrategy},
	"PriorityLevelConfiguration": {prioritylevelconfiguration.Strategy, prioritylevelconfiguration.StatusStrategy},
	"Ingress": {ingress.Strategy, ingress.StatusStrategy},
	"IngressClass": {ingressclass.Strategy},
	"IPAddress": {ipaddress.Strategy},
	"NetworkPolicy": {networkpolicy.Strategy},
	"ServiceCIDR": {servicecidr.Strategy, servicecidr.StatusStrategy},
	"RuntimeClass": {runtimeclass.Strategy},
	"PodDisruptionBudget": {poddisruptionbudget.Strategy, poddisruptionbudget.StatusStrategy},
	"ClusterRole": {clusterrole.Strategy},
	"ClusterRoleBinding": {clusterrolebinding.Strategy},
	"Role": {role.Strategy},
	"RoleBinding": {rolebinding.Strategy},
	"DeviceClass": {deviceclass.Strategy},
	"ResourceClaim": {resourceclaim.NewStrategy(nil, anybody), resourceclaim.NewStatusStrategy(resourceclaim.NewStrategy(nil, anybody))},
	"ResourceClaimTemplate": {resourceclaimtemplate.NewStrategy(nil)},
	"ResourceSlice": {resourceslice.Strategy},
	"PriorityClass": {priorityclass.Strategy},
	"CSIDriver": {csidriver.Strategy},
	"CSINode": {csinode.Strategy},
	"CSIStorageCapacity": {csistoragecapacity.Strategy},
	"StorageClass": {storageclass.Strategy},
	"VolumeAttachment": {volumeattachment.Strategy, volumeattachment.StatusStrategy},
	"VolumeAttributesClass": {volumeattributesclass.Strategy},
}

var scheme = legacyscheme.Scheme

type request struct {
	Op     string          `json:"op"`
	Object json.RawMessage `json:"object"`
	Old    json.RawMessage `json:"old"`
	Sub    int             `json:"sub"`
}
type problem struct {
	Field   string `json:"field"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}
type answer struct {
	Error    string          `json:"error,omitempty"`
	Object   json.RawMessage `json:"object,omitempty"`
	Problems []problem       `json:"problems,omitempty"`
	Warnings []string        `json:"warnings,omitempty"`
	Table    *metav1.Table   `json:"table,omitempty"`
}

func decode(raw []byte) (runtime.Object, *schema.GroupVersionKind, error) {
	var tm metav1.TypeMeta
	if err := json.Unmarshal(raw, &tm); err != nil {
		return nil, nil, err
	}
	gvk := schema.FromAPIVersionAndKind(tm.APIVersion, tm.Kind)
	obj, err := scheme.New(gvk)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(raw, obj); err != nil {
		return nil, nil, err
	}
	scheme.Default(obj)
	internal, err := scheme.UnsafeConvertToVersion(obj, schema.GroupVersion{Group: gvk.Group, Version: runtime.APIVersionInternal})
	if err != nil {
		return nil, nil, err
	}
	return internal, &gvk, nil
}
func encode(obj runtime.Object, gvk *schema.GroupVersionKind) (json.RawMessage, error) {
	ext, err := scheme.ConvertToVersion(obj, gvk.GroupVersion())
	if err != nil {
		return nil, err
	}
	ext.GetObjectKind().SetGroupVersionKind(*gvk)
	scheme.Default(ext) // as reading it back from storage does
	return json.Marshal(ext)
}
func problems(list field.ErrorList) []problem {
	var out []problem
	for _, e := range list {
		out = append(out, problem{e.Field, string(e.Type), e.ErrorBody()})
	}
	return out
}

func handle(req request) (ans answer) {
	defer func() {
		if r := recover(); r != nil {
			ans.Error = fmt.Sprintf("panic: %v", r)
		}
	}()
	obj, gvk, err := decode(req.Object)
	if err != nil {
		return answer{Error: err.Error()}
	}
	m, _ := meta.Accessor(obj)
	ctx := genericapirequest.WithNamespace(context.Background(), m.GetNamespace())
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{APIGroup: gvk.Group, APIVersion: gvk.Version, IsResourceRequest: true})
	var strat interface{}
	if list, ok := strategies[gvk.Kind]; ok {
		strat = list[req.Sub]
	}
	switch req.Op {
	case "default":
	case "create":
		s := strat.(rest.RESTCreateStrategy)
		s.PrepareForCreate(ctx, obj)
		errs := s.Validate(ctx, obj)
		ans.Problems = problems(errs)
		ans.Warnings = s.WarningsOnCreate(ctx, obj)
		s.Canonicalize(obj)
	case "update":
		old, _, err := decode(req.Old)
		if err != nil {
			return answer{Error: err.Error()}
		}
		s := strat.(rest.RESTUpdateStrategy)
		s.PrepareForUpdate(ctx, obj, old)
		errs := s.ValidateUpdate(ctx, obj, old)
		ans.Problems = problems(errs)
		ans.Warnings = s.WarningsOnUpdate(ctx, obj, old)
		s.Canonicalize(obj)
	case "table":
		gen := printers.NewTableGenerator().With(printersinternal.AddHandlers)
		t, err := gen.GenerateTable(obj, printers.GenerateOptions{Wide: true})
		if err != nil {
			return answer{Error: err.Error()}
		}
		for i := range t.ColumnDefinitions {
			t.ColumnDefinitions[i].Description = ""
		}
		for i := range t.Rows {
			t.Rows[i].Object = runtime.RawExtension{}
		}
		ans.Table = t
		return
	default:
		return answer{Error: "unknown op"}
	}
	raw, err := encode(obj, gvk)
	if err != nil {
		return answer{Error: err.Error()}
	}
	ans.Object = raw
	return
}

func main() {
	capabilities.Setup(true, 0)
	crdinstall.Install(scheme)
	aggregatorinstall.Install(scheme)
	strategies["CustomResourceDefinition"] = []interface{}{crdstrategy.NewStrategy(scheme), crdstrategy.NewStatusStrategy(scheme)}
	strategies["APIService"] = []interface{}{apiservicestrategy.NewStrategy(scheme), apiservicestrategy.NewStatusStrategy(scheme)}
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
		b, _ := json.Marshal(ans)
		out.Write(b)
		out.WriteByte('\n')
		out.Flush()
	}
}
