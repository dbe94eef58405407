{{- define "neutral.selector" -}}
app.kubernetes.io/name: neutral
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "neutral.labels" -}}
{{ include "neutral.selector" . }}
app.kubernetes.io/part-of: shopwright
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
shopwright.dev/store-id: {{ .root.Values.store.id | quote }}
{{- end }}

{{- define "neutral.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
containers:
  - name: {{ .component }}
    image: {{ .root.Values.image }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities: {drop: [ALL]}
    env:
      - name: ADMIN_PASSWORD
        valueFrom: {secretKeyRef: {name: {{ .root.Values.credentials.existingSecret }}, key: admin-password}}
    envFrom:
      - configMapRef: {name: web}
    resources:
      requests: {cpu: 10m, memory: 16Mi}
      limits: {cpu: 100m, memory: 64Mi}
    {{- if eq .component "web" }}
    volumeMounts:
      - {name: files, mountPath: /files}
volumes:
  - name: files
    persistentVolumeClaim: {claimName: files}
    {{- end }}
{{- end }}
