{{- define "beatbridge.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "beatbridge.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "beatbridge.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "beatbridge.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "beatbridge.image" -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}

{{- define "beatbridge.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "beatbridge.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "beatbridge.selectorLabels" -}}
app.kubernetes.io/name: {{ include "beatbridge.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "beatbridge.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "beatbridge.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end -}}

{{/* Who runs as what: the least that Kubernetes' "restricted" standard asks for, and a root that nobody writes to. */}}
{{- define "beatbridge.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}
{{- define "beatbridge.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* MiB of heap, of what the container may take; nothing where that is not said, or in a unit that is not read here. */}}
{{- define "beatbridge.heapMiB" -}}
{{- $limit := toString (default "" (dig "limits" "memory" "" .Values.resources)) -}}
{{- $units := dict "Mi" 1.0 "Gi" 1024.0 "M" 0.95367431640625 "G" 953.67431640625 -}}
{{- $unit := regexFind "[A-Za-z]+$" $limit -}}
{{- if hasKey $units $unit -}}
{{- mulf (trimSuffix $unit $limit | float64) (get $units $unit) (divf .Values.heapPercent 100) | floor | int64 -}}
{{- end -}}
{{- end -}}

{{/* How the kubelet asks whether the bridge serves. Its gRPC probe speaks no TLS. */}}
{{- define "beatbridge.ready" -}}
{{- if eq .Values.tls.only "all" -}}
httpGet: { port: health, path: /readyz, scheme: HTTPS }
{{- else -}}
grpc: { port: 20000 }
{{- end -}}
{{- end -}}

{{/* The Secrets that are mounted, by the folder below /etc/beatbridge. */}}
{{- define "beatbridge.secrets" -}}
{{- with .Values.access.auth }}
{{- if .usersSecret }}
users: {{ .usersSecret }}
{{- end }}
{{- if .signingSecret }}
signing: {{ .signingSecret }}
{{- end }}
{{- end }}
{{- with .Values.tls }}
{{- if .secret }}
tls: {{ .secret }}
{{- end }}
{{- if .clientCaSecret }}
client-ca: {{ .clientCaSecret }}
{{- end }}
{{- end }}
{{- end -}}
