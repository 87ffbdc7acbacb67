<?php defined('SYSPATH') OR die('No direct script access.');

class Log_Tortoise extends Kohana_Log_Tortoise {}
