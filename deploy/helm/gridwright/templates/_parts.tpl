{{/* What tells our pods from others. */}}
{{- define "gridwright.selector" -}}
app.kubernetes.io/name: gridwright
app.kubernetes.io/component: controller
{{- end }}

{{/* What tells the pod that is asked: the leader's, where the cluster elects one. The controller puts that label on its own pod. */}}
{{- define "gridwright.leader" -}}
{{ include "gridwright.selector" . }}
{{- if .Values.connections.cluster }}
gridwright.dev/leads: "true"
{{- end }}
{{- end }}

{{- define "gridwright.labels" -}}
{{ include "gridwright.selector" . }}
app.kubernetes.io/part-of: gridwright
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{- define "gridwright.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The names of the admission policies' parameters and of what reads them are of this namespace, so nothing runs elsewhere. */}}
{{- define "gridwright.checked" -}}
{{- if ne .Release.Namespace "gridwright-system" }}
{{- fail "the controller's namespace is gridwright-system: add --namespace gridwright-system" }}
{{- end }}
{{- if and .Values.policy.cluster (not .Values.connections.cluster) }}
{{- fail "policy.cluster is the custom resources of connections.cluster: add connections.cluster" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.connections.cluster) }}
{{- fail "replicas elect one by the cluster: add connections.cluster, or set replicas to 1" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.connections.database) (not .Values.journal.existingClaim) (ne .Values.journal.accessMode "ReadWriteMany") }}
{{- fail (printf "a volume of %s is mounted by one node: set journal.accessMode to ReadWriteMany, or replicas to 1" .Values.journal.accessMode) }}
{{- end }}
{{- end }}

{{/* Where the policy is, as the command takes it. */}}
{{- define "gridwright.policy" -}}
{{- with .Values.policy -}}
{{- if .cluster }}kubernetes:{{ else }}{{ .address | default "/etc/gridwright/policy" }}{{ end }}
{{- end }}
{{- end }}

{{/* The connections, with what the chart's Service, probes and volumes have. */}}
{{- define "gridwright.connections" -}}
{{- $told := dict "api" "0.0.0.0:8780" "otlp" "0.0.0.0:4318" "otlpGrpc" "0.0.0.0:4317" "beyondLoopback" true }}
{{- with .Values.policy }}
{{- if and .cluster (or .evidence.configMap .evidence.secret) }}
{{- $_ := set $told "cluster" (dict "evidence" "/etc/gridwright/policy/evidence") }}
{{- end }}
{{- end }}
{{- if .Values.connections.sites }}
{{- $_ := set $told "sites" (dict "address" "0.0.0.0:8790") }}
{{- end }}
{{- merge $told (deepCopy .Values.connections) | toYaml }}
{{- end }}
