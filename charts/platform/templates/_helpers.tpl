{{/* Labels that select the pods. They never change. */}}
{{- define "shopwright.selector" -}}
app.kubernetes.io/name: shopwright
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: platform
{{- end }}

{{/* All labels of an object. */}}
{{- define "shopwright.labels" -}}
{{ include "shopwright.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* Reference of the image: the digest wins over the tag. */}}
{{- define "shopwright.image" -}}
{{- with .Values.image -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "shopwright.pullSecrets" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What the Pod Security standard "restricted" asks of a pod and of a container, and no
     writable image. */}}
{{- define "shopwright.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "shopwright.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* Where the database is, and what its secrets are encrypted with. */}}
{{- define "shopwright.databaseEnv" -}}
- {name: SHOPWRIGHT_DATA_DIR, value: /data}
{{- with .Values.database.existingSecret }}
- name: SHOPWRIGHT_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ . }}, key: {{ $.Values.database.key }}}}
{{- end }}
- name: SHOPWRIGHT_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.secretKey.existingSecret | default "shopwright" }}, key: {{ .Values.secretKey.key }}}}
{{- if .Values.authorities.existingConfigMap }}
# Besides the file of public ones, which is in the image.
- {name: SSL_CERT_DIR, value: /etc/ssl/authorities}
{{- end }}
{{- end }}

{{- define "shopwright.mounts" -}}
- {name: data, mountPath: /data}
- {name: tmp, mountPath: /tmp}
{{- if .Values.authorities.existingConfigMap }}
- {name: authorities, mountPath: /etc/ssl/authorities, readOnly: true}
{{- end }}
{{- end }}

{{/* URL under which browsers find the pages; empty where nobody can know it. */}}
{{- define "shopwright.baseURL" -}}
{{- if .Values.baseURL -}}
{{ .Values.baseURL }}
{{- else if .Values.ingress.enabled -}}
{{ eq .Values.tls.mode "none" | ternary "http" "https" }}://{{ .Values.ingress.host }}
{{- with .Values.stores.urlPort }}:{{ . }}{{ end }}
{{- end }}
{{- end }}

{{- define "shopwright.tlsSecret" -}}
{{ .Values.tls.secretName | default "shopwright-tls" }}
{{- end }}

{{/* Secrets of this namespace that the stores get a copy of. */}}
{{- define "shopwright.shared" -}}
{{- $names := list .Values.stores.imagePullSecret .Values.stores.smtp.existingSecret }}
{{- if eq .Values.stores.tls.mode "secret" }}{{ $names = append $names .Values.stores.tls.secretName }}{{ end }}
{{- compact $names | uniq | toJson }}
{{- end }}
