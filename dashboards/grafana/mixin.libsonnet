// The dashboards of Auspex as a monitoring mixin.
{
  grafanaDashboardFolder: 'Auspex',
  grafanaDashboards+:: {
    'auspex-overview.json': import 'provisioning/dashboards/auspex/overview.json',
    'auspex-incident.json': import 'provisioning/dashboards/auspex/incident.json',
    'auspex-series.json': import 'provisioning/dashboards/auspex/series.json',
    'auspex-log-templates.json': import 'provisioning/dashboards/auspex/log-templates.json',
    'auspex-services.json': import 'provisioning/dashboards/auspex/services.json',
    'auspex-self.json': import 'provisioning/dashboards/auspex/self.json',
  },
}
