<?php defined('SYSPATH') OR die('No direct script access.');

abstract class Log_Writer {

	abstract public function write(array $messages);

}
