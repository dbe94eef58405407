{{/* Labels that select a component's pods. They never change. */}}
{{- define "medusa.selector" -}}
app.kubernetes.io/name: medusa
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{/* Labels of the pods that answer for a component: Medusa's own, or that of the maintenance page. */}}
{{- define "medusa.answering" -}}
{{- if eq .component "medusa" -}}
app.kubernetes.io/name: medusa
app.kubernetes.io/instance: {{ .root.Release.Name }}
shopwright.dev/serves: medusa
{{- else -}}
{{ include "medusa.selector" . }}
{{- end }}
{{- end }}

{{/* All labels of a component's objects. */}}
{{- define "medusa.labels" -}}
{{ include "medusa.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
shopwright.dev/store-id: {{ .root.Values.store.id | quote }}
{{- end }}

{{/* Reference of an image: the digest wins over the tag. */}}
{{- define "medusa.image" -}}
{{- with .registry }}{{ . }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag }}{{ end }}
{{- end }}

{{/* What the Pod Security standard "restricted" asks of a container, and no writable image. */}}
{{- define "medusa.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{/* A pod's security: the user and group that its files belong to. */}}
{{- define "medusa.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* How all pods are pulled and where they run. */}}
{{- define "medusa.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* Who reaches the shop from outside: the ingress controller, as a pod or by its network. */}}
{{- define "medusa.controller" -}}
- namespaceSelector:
    {{- with .Values.ingress.controllerNamespace }}
    matchLabels: {kubernetes.io/metadata.name: {{ . }}}
    {{- else }}
    matchExpressions:
      - {key: shopwright.dev/store-id, operator: DoesNotExist}
    {{- end }}
{{- range .Values.ingress.controllerCIDRs }}
- ipBlock: {cidr: {{ . | quote }}}
{{- end }}
{{- end }}

{{/* A value of the environment, in which Kubernetes would replace $(NAME) by another. */}}
{{- define "medusa.literal" -}}
{{ . | replace "$(" "$$(" | quote }}
{{- end }}

{{/* Where the database is. Kubernetes puts the password into the address. */}}
{{- define "medusa.databaseEnv" -}}
- name: DATABASE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ .Values.credentials.existingSecret }}, key: database-password}}
- {name: DATABASE_URL, value: "postgres://medusa:$(DATABASE_PASSWORD)@database:5432/medusa?sslmode=disable"}
{{- end }}

{{/* What medusa-config reads, for the server and for the setup. */}}
{{- define "medusa.env" -}}
{{- $secret := .Values.credentials.existingSecret -}}
{{ include "medusa.databaseEnv" . }}
- name: CACHE_PASSWORD
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: cache-password}}
- {name: REDIS_URL, value: "redis://:$(CACHE_PASSWORD)@valkey:6379"}
- name: JWT_SECRET
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: jwt-secret}}
- name: COOKIE_SECRET
  valueFrom: {secretKeyRef: {name: {{ $secret }}, key: cookie-secret}}
- {name: SHOP_URL, value: {{ .Values.url | quote }}}
- {name: HOME, value: /tmp}
{{- end }}

{{- define "medusa.storageClass" -}}
{{- with .Values.storage.className }}
storageClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* What the first setup puts into the shop, as JSON. */}}
{{- define "medusa.products" -}}
{{- $sample := dict "sku" "shopwright-sample" "name" "Sample product" "price" 10 "stock" 100 "description" "Sold to prove that this shop sells." }}
{{- $none := ternary (list $sample) (list) .Values.shop.sampleProduct }}
{{- .Values.shop.products | default $none | toJson }}
{{- end }}
