{{- define "bakery.selector" -}}
app.kubernetes.io/name: bakery
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "bakery.labels" -}}
{{ include "bakery.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
shopwright.dev/store-id: {{ .root.Values.store.id | quote }}
{{- end }}

{{- define "bakery.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: {{ .component }}
    {{- with .root.Values.images.oven }}
    image: {{ .registry }}/{{ .repository }}:{{ .tag }}
    {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    envFrom:
      - configMapRef: {name: counter}
    env:
      - name: ADMIN_PASSWORD
        valueFrom: {secretKeyRef: {name: {{ .root.Values.credentials.existingSecret }}, key: admin-password}}
    {{- if eq .component "oven" }}
    {{- range list "startupProbe" "readinessProbe" "livenessProbe" }}
    {{ . }}: {httpGet: {path: /, port: 8080}}
    {{- end }}
    {{- end }}
    resources:
      requests: {cpu: 10m, memory: 16Mi}
      limits: {cpu: 100m, memory: 64Mi}
{{- end }}
