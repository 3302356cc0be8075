import { isMainThread } from 'node:worker_threads'
import { metrics, trace } from '@opentelemetry/api'
import { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, BatchSpanProcessor, ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base'

// Loaded before the command: node --import ./telemetry.js node_modules/.bin/troupe run self-rewarding
// Node loads it in every thread; the troupe reports from the main one alone. Yours: an OTLP exporter, for the console's.
if (isMainThread) {
  const spans = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new ConsoleSpanExporter())] })
  const measures = new MeterProvider({
    readers: [new PeriodicExportingMetricReader({ exporter: new ConsoleMetricExporter() })],
  })
  trace.setGlobalTracerProvider(spans)
  metrics.setGlobalMeterProvider(measures)
  process.once('beforeExit', () => void Promise.all([spans.shutdown(), measures.shutdown()]))
}
